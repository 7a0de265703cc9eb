/** What the fake registry holds: per repository blobs, manifests, tags; and open uploads. */
import { createHash } from 'node:crypto';

interface StoredManifest {
  readonly mediaType: string;
  readonly bytes: Buffer;
}

export interface StoredRepository {
  readonly blobs: Map<string, Buffer>;
  readonly manifests: Map<string, StoredManifest>;
  readonly tags: Map<string, string>;
}

export interface FakeStore {
  readonly repositories: Map<string, StoredRepository>;
  readonly uploads: Map<string, Buffer>;
  /** The repository, made when it is not there. */
  readonly repository: (path: string) => StoredRepository;
  /** Puts a blob and answers its digest. */
  readonly putBlob: (path: string, bytes: Uint8Array) => string;
  /** Puts a manifest, under a tag if one is given, and answers its digest. */
  readonly putManifest: (path: string, mediaType: string, bytes: Uint8Array, tag?: string) => string;
}

/** `sha256:HEX` of the bytes. */
export const sha256 = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

export const createStore = (): FakeStore => {
  const repositories = new Map<string, StoredRepository>();
  const repository = (path: string): StoredRepository => {
    const found = repositories.get(path) ?? { blobs: new Map(), manifests: new Map(), tags: new Map() };
    repositories.set(path, found);
    return found;
  };
  return {
    repositories,
    uploads: new Map(),
    repository,
    putBlob: (path, bytes) => {
      const digest = sha256(bytes);
      repository(path).blobs.set(digest, Buffer.from(bytes));
      return digest;
    },
    putManifest: (path, mediaType, bytes, tag) => {
      const digest = sha256(bytes);
      repository(path).manifests.set(digest, { mediaType, bytes: Buffer.from(bytes) });
      if (tag !== undefined) repository(path).tags.set(tag, digest);
      return digest;
    },
  };
};
