/** Reads one linux/amd64 image as the readers see it and as it is copied; what never changes is read once a process (spec 04 §9.4 "Fetch"). */
import type { Digest } from '../oci/digest.ts';
import { invalidContent } from '../oci/errors.ts';
import { type OciImage, type ReadImageOptions, readImage } from '../oci/image.ts';
import { parseReference, printReference } from '../oci/reference.ts';
import type { RawManifest, Registry } from '../oci/registry.ts';
import type { ReadableImage } from './readable-image.ts';

/** An image, read: no layer was touched. */
export interface FetchedImage extends ReadableImage, Omit<OciImage, keyof ReadableImage> {
  readonly layers: OciImage['layers'];
  /** The manifest's own bytes: copied as they are. */
  readonly raw: RawManifest;
  /** What the reference names: of an index, the index's own digest. */
  readonly namedDigest: Digest;
}

/** Blobs by digest: content that cannot change. Whoever asks has read the manifest, with credentials of its own, first. */
export interface ConfigCache {
  readonly get: (digest: Digest) => Uint8Array | undefined;
  readonly put: (digest: Digest, bytes: Uint8Array) => void;
}

/** Remembers configs up to `limitBytes` in all, the oldest forgotten first. One per process. */
export const configCache = (limitBytes = 16 * 1024 * 1024): ConfigCache => {
  const kept = new Map<Digest, Uint8Array>();
  let size = 0;
  return {
    get: (digest) => kept.get(digest),
    put: (digest, bytes) => {
      if (kept.has(digest) || bytes.byteLength > limitBytes / 4) return;
      kept.set(digest, bytes);
      size += bytes.byteLength;
      for (const [oldest, { byteLength }] of kept) {
        if (size <= limitBytes) break;
        kept.delete(oldest);
        size -= byteLength;
      }
    },
  };
};

/** How long, and of an index which child: linux/amd64 unless given. */
type FetchOptions = Pick<ReadImageOptions, 'signal' | 'platform'>;

/**
 * The image a reference names; of an index the child for the platform. Throws PermanentError for a bad reference, OciError for everything else.
 * Its content is checked against its digests.
 */
export const fetchImage = async (
  registry: Registry,
  reference: string,
  cache: ConfigCache,
  options: FetchOptions = {},
): Promise<FetchedImage> => {
  const manifests = new Map<Digest, RawManifest>();
  const remembering: Registry = {
    ...registry,
    getManifest: async (...request) => {
      const manifest = await registry.getManifest(...request);
      manifests.set(manifest.digest, manifest);
      return manifest;
    },
    readBlob: async (repository, blob, call) => {
      const bytes = cache.get(blob.digest) ?? (await registry.readBlob(repository, blob, call));
      cache.put(blob.digest, bytes);
      return bytes;
    },
  };
  const image = await readImage(remembering, parseReference(reference), options);
  const [namedDigest] = manifests.keys();
  const raw = manifests.get(image.reference.digest);
  if (raw === undefined || namedDigest === undefined) throw invalidContent(`the manifest of ${reference} was not read`);
  return { ...image, identifier: printReference(image.reference), raw, namedDigest };
};
