/**
 * What everybody else may do with registries: the port. `openRegistry` (client.ts) makes one that speaks HTTP to any host; names say which.
 * Every call has a deadline of its own, may be cut short by `signal`, and fails with an OciError (errors.ts) — never with a transport's error.
 */
import type { Digest } from './digest.ts';
import type { Reference, Repository } from './reference.ts';

/** How a call may be cut short: the signal of the pass, whose deadline is shorter than ours. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** How a manifest is looked at. */
export interface HeadOptions extends CallOptions {
  /** HEAD that says no is believed, and not made good by GET: for who is wrong at no cost. */
  readonly believed?: boolean;
}

/** A manifest or index exactly as stored; its digest is that of these bytes, whatever headers said. */
export interface RawManifest {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

/** What HEAD tells of a manifest. */
export interface ManifestHead {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

/** Name and length in bytes of a blob. */
export interface BlobName {
  readonly digest: Digest;
  readonly size: number;
}

/** A blob to push. `open` starts from the first byte each time: an upload may have to be begun anew. */
export interface BlobSource extends BlobName {
  readonly open: (options?: CallOptions) => AsyncIterable<Uint8Array>;
  /** The bytes from this one on; without it the beginning is read and thrown away. */
  readonly openAt?: (firstByte: number, options?: CallOptions) => AsyncIterable<Uint8Array>;
}

/** An upload that is to be gone on with. Holds no credential; `location` is of use only to who may push. */
export interface OpenUpload {
  readonly digest: Digest;
  readonly location: string;
  readonly sentBytes: number;
  /** Smallest piece the registry takes, in bytes. */
  readonly minChunkBytes: number;
}

/** How much of a blob is pushed at once, and what was pushed before. */
export interface SittingOptions extends CallOptions {
  /** No piece is begun that would not be sent within this time, but for the first. */
  readonly seconds: number;
  /** Where an earlier sitting left off. */
  readonly upload?: OpenUpload | undefined;
}

/** Reads and writes of one or many registries. */
export interface Registry {
  /** Who reads through it: what was read is remembered for equal ones alone, and for nobody where it is absent. */
  readonly reader?: string | undefined;
  /** The manifest or index; a reference by digest is checked against the bytes. Fails `not-found` when absent, `invalid-content` for schema 1. */
  readonly getManifest: (reference: Reference, options?: CallOptions) => Promise<RawManifest>;
  /** Whether the manifest is there and under which digest; undefined when it is not, which HEAD alone is not believed. */
  readonly headManifest: (reference: Reference, options?: HeadOptions) => Promise<ManifestHead | undefined>;
  /** Stores the bytes under tag or digest and answers their digest; a tag that holds them already counts as stored. Fails `immutable` for one that may not be moved. */
  readonly putManifest: (
    reference: Reference,
    manifest: Pick<RawManifest, 'mediaType' | 'bytes'>,
    options?: CallOptions,
  ) => Promise<Digest>;
  /** Removes a tag or, by digest, a manifest with all its tags; absent is fine. */
  readonly deleteManifest: (reference: Reference, options?: CallOptions) => Promise<void>;
  /** All tags, in the registry's order, at most `limit` (10,000 unless said). A repository that does not exist has none. */
  readonly listTags: (
    repository: Repository,
    options?: CallOptions & { readonly limit?: number },
  ) => Promise<readonly string[]>;

  /** Whether the blob is there, which HEAD alone is believed only of registries where it has told the truth (head-truth.ts). */
  readonly hasBlob: (repository: Repository, digest: Digest, options?: CallOptions) => Promise<boolean>;
  /** The whole blob in memory, checked; fails `invalid-content` above `limitBytes` (16 MiB unless said) without reading it. */
  readonly readBlob: (
    repository: Repository,
    blob: BlobName,
    options?: CallOptions & { readonly limitBytes?: number },
  ) => Promise<Uint8Array>;
  /** The blob's bytes as they arrive. The iteration throws `invalid-content` before its end when size or digest turn out wrong. */
  readonly openBlob: (repository: Repository, blob: BlobName, options?: CallOptions) => AsyncIterable<Uint8Array>;
  /** The blob's bytes from `firstByte` on, counted but not hashed: for who goes on with an upload that the other registry checks. */
  readonly openBlobAt: (
    repository: Repository,
    blob: BlobName,
    firstByte: number,
    options?: CallOptions,
  ) => AsyncIterable<Uint8Array>;
  /** Makes the registry link a blob from another of its repositories; false when it would rather have it uploaded. */
  readonly mountBlob: (
    repository: Repository,
    digest: Digest,
    from: Repository,
    options?: CallOptions,
  ) => Promise<boolean>;
  /**
   * Puts the blob there whether or not it exists (ask `hasBlob` first, or use copy.ts). With `mountFrom`, a repository of the same registry
   * that has it, no byte is sent when the registry can link it: `mounted`.
   */
  readonly pushBlob: (
    repository: Repository,
    blob: BlobSource,
    options?: CallOptions & { readonly mountFrom?: Repository | undefined },
  ) => Promise<'mounted' | 'uploaded'>;
  /** Pushes as much of the blob as there is time for. Where to go on the next time; undefined when the blob is there. */
  readonly pushBlobInSittings: (
    repository: Repository,
    blob: BlobSource,
    options: SittingOptions,
  ) => Promise<OpenUpload | undefined>;
  /** Removes a blob; absent is fine. */
  readonly deleteBlob: (repository: Repository, digest: Digest, options?: CallOptions) => Promise<void>;
}
