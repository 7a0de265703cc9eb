/** cosign's simple signing: what is signed, and the manifest that carries signatures of an image (spec 03 §17.2; cosign v2). */
import { type Digest, digestOf, hexOf } from '../oci/digest.ts';
import { dockerConfigType, dockerManifestType, ociConfigType, ociManifestType } from '../oci/media-types.ts';
import {
  type DigestReference,
  printRepository,
  type Repository,
  type TagReference,
  withTag,
} from '../oci/reference.ts';

const simpleSigningType = 'application/vnd.dev.cosign.simplesigning.v1+json';
export const signatureAnnotation = 'dev.cosignproject.cosign/signature';

/** The bytes that are signed. Annotations are sorted, so that the same ones always make the same bytes. */
export function signingPayload(image: DigestReference, annotations: ReadonlyMap<string, string>): Uint8Array {
  const sorted = [...annotations].sort(([a], [b]) => (a < b ? -1 : 1));
  const payload = {
    critical: {
      identity: { 'docker-reference': printRepository(image) },
      image: { 'docker-manifest-digest': image.digest },
      type: 'cosign container image signature',
    },
    optional: sorted.length === 0 ? null : Object.fromEntries(sorted),
  };
  return new TextEncoder().encode(JSON.stringify(payload));
}

/** Where the signatures of an image are kept: tag `sha256-<hex>.sig` of its own or another repository. */
export function signatureTag(digest: Digest, repository: Repository): TagReference {
  return withTag(repository, `sha256-${hexOf(digest)}.sig`);
}

/** One signature: a layer whose bytes are the payload. */
export interface SignatureLayer {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly annotations: Readonly<Record<string, string>>;
}

export function signatureLayer(payload: Uint8Array, signature: Uint8Array): SignatureLayer {
  return {
    mediaType: simpleSigningType,
    digest: digestOf(payload),
    size: payload.byteLength,
    annotations: { [signatureAnnotation]: Buffer.from(signature).toString('base64') },
  };
}

export interface SignatureImage {
  readonly mediaType: string;
  readonly manifest: Uint8Array;
  readonly config: Uint8Array;
}

/** Manifest and configuration holding these signatures; Docker types for registries that take no others. */
export function signatureImage(layers: readonly SignatureLayer[], dockerMediaTypes: boolean): SignatureImage {
  const never = '0001-01-01T00:00:00Z';
  const config = encoded({
    architecture: '',
    created: never,
    history: layers.map(() => ({ created: never })),
    os: '',
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
    config: {},
  });
  const mediaType = dockerMediaTypes ? dockerManifestType : ociManifestType;
  const manifest = encoded({
    schemaVersion: 2,
    mediaType,
    config: {
      mediaType: dockerMediaTypes ? dockerConfigType : ociConfigType,
      size: config.byteLength,
      digest: digestOf(config),
    },
    layers,
  });
  return { mediaType, manifest, config };
}

function encoded(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
