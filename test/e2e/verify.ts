/** What @sigstore/verify, which is not ours, says of signatures in the registry. */
import { createHash, type KeyObject } from 'node:crypto';
import { bundleFromJSON, toMessageSignatureBundle } from '@sigstore/bundle';
import { toSignedEntity, Verifier } from '@sigstore/verify';
import { type Digest, hexOf } from '../../lib/oci/digest.ts';
import { parseReference, withTag } from '../../lib/oci/reference.ts';
import type { Suite } from './suite.ts';

/** No log and no authority: the key alone decides. */
const verifier = (publicKey: KeyObject): Verifier =>
  new Verifier(
    {
      certificateAuthorities: [],
      timestampAuthorities: [],
      tlogs: [],
      ctlogs: [],
      publicKey: () => ({ publicKey, validFor: () => true }),
    },
    { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 },
  );

/** The layers of what lies beside the image under `sha256-<digest>.<suffix>`. */
const besides = async ({ content }: Suite, image: string, suffix: 'att' | 'sig') => {
  const reference = parseReference(image);
  const tag = withTag(reference, `sha256-${hexOf(reference.digest ?? ('' as Digest))}.${suffix}`);
  const { bytes } = await content.getManifest(tag);
  const { layers } = JSON.parse(new TextDecoder().decode(bytes)) as {
    readonly layers: readonly { digest: Digest; size: number; annotations: Readonly<Record<string, string>> }[];
  };
  return Promise.all(
    layers.map(async (layer) => ({
      signature: Buffer.from(layer.annotations['dev.cosignproject.cosign/signature'] ?? '', 'base64'),
      content: Buffer.from(await content.readBlob(tag, layer)),
    })),
  );
};

/** What the image's signatures say, one for each key and in that order. @throws when they are not made with these keys */
export const verifiedSignatures = async (
  suite: Suite,
  image: string,
  publicKeys: readonly KeyObject[],
): Promise<readonly unknown[]> => {
  const found = await besides(suite, image, 'sig');
  if (found.length !== publicKeys.length) throw new Error(`${image} has ${found.length} signatures`);
  return publicKeys.map((publicKey, index) => {
    const { signature = Buffer.of(), content = Buffer.of() } = found[index] ?? {};
    const digest = createHash('sha256').update(content).digest();
    const bundle = toMessageSignatureBundle({ digest, signature, keyHint: 'key' });
    verifier(publicKey).verify(toSignedEntity(bundle, content));
    return JSON.parse(content.toString('utf8')) as unknown;
  });
};

/** The image's provenance. @throws when it is not signed with that key */
export const verifiedProvenance = async (suite: Suite, image: string, publicKey: KeyObject): Promise<unknown> => {
  const [layer, ...others] = await besides(suite, image, 'att');
  if (layer === undefined || others.length > 0) throw new Error(`${image} has not one attestation`);
  const envelope = JSON.parse(layer.content.toString('utf8')) as { readonly payload: string };
  const bundle = bundleFromJSON({
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: {
      publicKey: { hint: 'key' },
      tlogEntries: [],
      timestampVerificationData: { rfc3161Timestamps: [] },
    },
    dsseEnvelope: envelope,
  });
  verifier(publicKey).verify(toSignedEntity(bundle));
  return JSON.parse(Buffer.from(envelope.payload, 'base64').toString('utf8')) as unknown;
};
