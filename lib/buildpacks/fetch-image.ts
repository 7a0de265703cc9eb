/** Reads one linux/amd64 image as the readers see it and as it is copied; what never changes is read once a process (spec 04 §9.4 "Fetch"). */
import type { Digest } from '../oci/digest.ts';
import { type KnownConfigs, type ReadImageOptions, readImage, type StoredImage } from '../oci/image.ts';
import { parseReference, printReference, printRepository, type Repository } from '../oci/reference.ts';
import type { Registry } from '../oci/registry.ts';

/** An image, read: no layer was touched. */
export interface FetchedImage extends StoredImage {
  /** `registry/repository@sha256:…`; for an index the child's digest (spec 04 §9.4). */
  readonly identifier: string;
}

/**
 * Blobs by digest: content that cannot change. It is known to who has read it, from the repository it was read from: a manifest is written by
 * anybody, and may name the digest of what its author may not read.
 */
export interface ConfigCache {
  /** What is known to whom the client reads for; nothing for a client that does not say. */
  readonly of: (registry: Pick<Registry, 'reader'>, repository: Repository) => KnownConfigs;
}

const nothing: KnownConfigs = { get: () => undefined, put: () => {} };

/** Remembers configs up to `limitBytes` in all, the oldest forgotten first. One per process. */
export const configCache = (limitBytes = 16 * 1024 * 1024): ConfigCache => {
  const kept = new Map<string, Uint8Array>();
  let size = 0;
  const put = (key: string, bytes: Uint8Array): void => {
    if (kept.has(key) || bytes.byteLength > limitBytes / 4) return;
    kept.set(key, bytes);
    size += bytes.byteLength;
    for (const [oldest, { byteLength }] of kept) {
      if (size <= limitBytes) break;
      kept.delete(oldest);
      size -= byteLength;
    }
  };
  return {
    of: ({ reader }, repository) => {
      if (reader === undefined) return nothing;
      const keyOf = (digest: Digest): string => JSON.stringify([reader, printRepository(repository), digest]);
      return { get: (digest) => kept.get(keyOf(digest)), put: (digest, bytes) => put(keyOf(digest), bytes) };
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
  name: string,
  cache: ConfigCache,
  options: FetchOptions = {},
): Promise<FetchedImage> => {
  const reference = parseReference(name);
  const image = await readImage(registry, reference, { ...options, configs: cache.of(registry, reference) });
  return { ...image, identifier: printReference(image.reference) };
};
