/** A blob from one repository into another with as little traffic as possible (distribution-spec "Mounting a blob from another repository"). */
import { type Repository, sameRepository } from './reference.ts';
import type { BlobName, BlobSource, CallOptions, Registry } from './registry.ts';

/** What had to be done. */
export type Copied = 'present' | 'mounted' | 'uploaded';

/** Where a blob is; `registry` reads it with the credentials of that place, when they differ from the target's. */
export interface BlobOrigin {
  readonly repository: Repository;
  readonly registry?: Registry | undefined;
}

/**
 * Makes sure the blob is in `to`. Within a registry a mount is asked for at once, which costs one request and works as well when the blob is
 * there already; else it is looked for, and only then streamed, checked on its way. Throws OciError.
 */
export const copyBlob = async (
  registry: Registry,
  blob: BlobName,
  from: BlobOrigin,
  to: Repository,
  options: CallOptions = {},
): Promise<Copied> => {
  const linked = await linkBlob(registry, blob, from, to, options);
  if (linked !== undefined) return linked;
  await registry.pushBlob(to, sourceOf(registry, blob, from), options);
  return 'uploaded';
};

/** The blob to be sent from where it is. */
export const sourceOf = (
  registry: Registry,
  { digest, size }: BlobName,
  { repository, registry: source = registry }: BlobOrigin,
): BlobSource => ({
  digest,
  size,
  open: (call) => source.openBlob(repository, { digest, size }, call),
  openAt: (firstByte, call) => source.openBlobAt(repository, { digest, size }, firstByte, call),
});

/** As copyBlob, as far as no byte has to be sent; undefined when the blob has to be. */
export const linkBlob = async (
  registry: Registry,
  blob: BlobName,
  from: BlobOrigin,
  to: Repository,
  options: CallOptions = {},
): Promise<'present' | 'mounted' | undefined> => {
  if (sameRepository(from.repository, to)) return 'present';
  if (
    from.repository.registry === to.registry &&
    (await registry.mountBlob(to, blob.digest, from.repository, options))
  ) {
    return 'mounted';
  }
  return (await registry.hasBlob(to, blob.digest, options)) ? 'present' : undefined;
};
