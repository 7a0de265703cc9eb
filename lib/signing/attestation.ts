/** Puts an attestation beside its image, where `cosign verify-attestation` looks for it (spec 03 §19.4). */
import { type Digest, digestOf, hexOf } from '../oci/digest.ts';
import { type DigestReference, type Repository, repositoryOf, type TagReference, withTag } from '../oci/reference.ts';
import type { CallOptions, Registry } from '../oci/registry.ts';
import { pushContent } from './sign-image.ts';
import { signatureAnnotation, signatureImage } from './simple-signing.ts';

const envelopeMediaType = 'application/vnd.dsse.envelope.v1+json';

/** Where the attestations of an image are kept: tag `sha256-<hex>.att`. */
export const attestationTag = (digest: Digest, repository: Repository): TagReference =>
  withTag(repository, `sha256-${hexOf(digest)}.att`);

/** An envelope about an image. */
export interface Attestation {
  readonly image: DigestReference;
  readonly envelope: Uint8Array;
  readonly predicateType: string;
}

/** Digest of the image that now holds the attestation; what the tag held before is replaced. @throws OciError */
export const pushAttestation = async (
  registry: Registry,
  { image, envelope, predicateType }: Attestation,
  call: CallOptions,
): Promise<Digest> => {
  const layer = {
    mediaType: envelopeMediaType,
    digest: digestOf(envelope),
    size: envelope.byteLength,
    annotations: { [signatureAnnotation]: '', predicateType },
  };
  const { mediaType, manifest, config } = signatureImage([layer], false);
  for (const content of [envelope, config]) await pushContent(registry, repositoryOf(image), content, call);
  return registry.putManifest(attestationTag(image.digest, image), { mediaType, bytes: manifest }, call);
};
