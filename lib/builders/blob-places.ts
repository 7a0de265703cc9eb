/**
 * Where in a registry a blob is known to be, so that fifty builders with one buildpack from elsewhere send its layer once and mount it
 * forty-nine times. A guess that saves traffic, nothing more: the registry decides whether the caller may mount from there.
 */
import type { Digest } from '../oci/digest.ts';
import { type Repository, repositoryOf } from '../oci/reference.ts';

/** Remembered for the life of a process. */
export interface BlobPlaces {
  /** A repository of that registry that has had the blob. */
  readonly find: (registry: string, digest: Digest) => Repository | undefined;
  readonly remember: (repository: Repository, digest: Digest) => void;
  /** Ends, whatever came of it, when somebody's upload of that blob to that registry has; undefined when there is none. */
  readonly underWay: (registry: string, digest: Digest) => Promise<void> | undefined;
  /** Does the upload, with everybody else told that it is under way. */
  readonly uploading: <T>(registry: string, digest: Digest, upload: () => Promise<T>) => Promise<T>;
}

/** An empty memory of at most `limit` blobs, the oldest forgotten first. */
export const blobPlaces = (limit = 10_000): BlobPlaces => {
  const places = new Map<string, Repository>();
  const uploads = new Map<string, Promise<void>>();
  const keyOf = (registry: string, digest: Digest): string => `${registry}/${digest}`;
  return {
    find: (registry, digest) => places.get(keyOf(registry, digest)),
    remember: (repository, digest) => {
      const key = keyOf(repository.registry, digest);
      places.delete(key);
      places.set(key, repositoryOf(repository));
      const [oldest] = places.keys();
      if (places.size > limit && oldest !== undefined) places.delete(oldest);
    },
    underWay: (registry, digest) => uploads.get(keyOf(registry, digest)),
    uploading: async (registry, digest, upload) => {
      const key = keyOf(registry, digest);
      const ended = Promise.withResolvers<void>();
      uploads.set(key, ended.promise);
      try {
        return await upload();
      } finally {
        uploads.delete(key);
        ended.resolve();
      }
    },
  };
};
