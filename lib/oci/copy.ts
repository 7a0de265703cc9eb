/** A blob from one repository into another with as little traffic as possible (distribution-spec "Mounting a blob from another repository"). */
import { type Repository, sameRepository } from './reference.ts';
import type { BlobName, CallOptions, Registry } from './registry.ts';

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
  if (sameRepository(from.repository, to)) return 'present';
  if (
    from.repository.registry === to.registry &&
    (await registry.mountBlob(to, blob.digest, from.repository, options))
  ) {
    return 'mounted';
  }
  if (await registry.hasBlob(to, blob.digest, options)) return 'present';
  const source = from.registry ?? registry;
  await registry.pushBlob(
    to,
    { digest: blob.digest, size: blob.size, open: (call) => source.openBlob(from.repository, blob, call) },
    options,
  );
  return 'uploaded';
};
