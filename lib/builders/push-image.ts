/** Puts an image under a tag, moving only what is not there yet, within a budget of time (spec 04 §9.4 "Save"; DESIGN §3.14). */
import { mapBounded } from '../buildpacks/bounded.ts';
import { isOciError } from '../oci/errors.ts';
import { type Repository, sameRepository, type TagReference, withTag } from '../oci/reference.ts';
import type { BlobName, RawManifest, Registry } from '../oci/registry.ts';

/** A blob of the image, and where its bytes are. */
export type BlobToPush = BlobName & {
  /** Not uploaded by anybody: a registry of its maker's serves it. */
  readonly foreign?: boolean;
} & (
    | { readonly bytes: Uint8Array }
    | { readonly from: { readonly registry: Registry; readonly repository: Repository } }
  );

/** An image and where it goes. */
export interface ImageToPush {
  readonly target: TagReference;
  readonly manifest: RawManifest;
  readonly blobs: readonly BlobToPush[];
}

/** The time a push may take. */
export interface PushBudget {
  readonly signal: AbortSignal;
  /** Whether another blob may be begun. One always is, or a short budget would never end. */
  readonly mayGoOn: () => boolean;
  readonly now: Date;
}

/** `there`: nothing was written. `pushed`: it is there now. `unfinished`: so many of so many blobs are there. */
export type PushResult =
  | { readonly state: 'there' | 'pushed' }
  | { readonly state: 'unfinished'; readonly blobs: number; readonly of: number };

const blobsAtOnce = 4;

const isForeign = (mediaType: string): boolean => /foreign|nondistributable/.test(mediaType);

/** A layer of another image as a blob to push. */
export const blobFrom = (
  blob: BlobName & { readonly mediaType: string },
  registry: Registry,
  repository: Repository,
): BlobToPush => ({
  digest: blob.digest,
  size: blob.size,
  foreign: isForeign(blob.mediaType),
  from: { registry, repository },
});

const distinct = (blobs: readonly BlobToPush[]): readonly BlobToPush[] => [
  ...new Map(blobs.filter(({ foreign }) => foreign !== true).map((blob) => [blob.digest, blob])).values(),
];

const once = async function* (bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
};

const moveBlob = async (registry: Registry, into: Repository, blob: BlobToPush, signal: AbortSignal): Promise<void> => {
  const { digest, size } = blob;
  if ('bytes' in blob) {
    await registry.pushBlob(into, { digest, size, open: () => once(blob.bytes) }, { signal });
    return;
  }
  const { from } = blob;
  if (from.repository.registry === into.registry) {
    if (await registry.mountBlob(into, digest, from.repository, { signal })) return;
  }
  await registry.pushBlob(
    into,
    { digest, size, open: (options) => from.registry.openBlob(from.repository, { digest, size }, options) },
    { signal },
  );
};

/** `YYYYMMDDHHMMSS` in UTC: every image that was pushed keeps a tag, so that a registry that clears untagged ones leaves it. */
const stamp = (now: Date): string => now.toISOString().replaceAll(/\D/g, '').slice(0, 14);

/** The digest under the tag, if there is one; a registry that forbids to look is asked to write all the same. */
const digestAt = async (registry: Registry, target: TagReference, signal: AbortSignal): Promise<string | undefined> => {
  try {
    return (await registry.headManifest(target, { signal }))?.digest;
  } catch (error) {
    if (isOciError(error, 'denied') || isOciError(error, 'unauthorized')) return undefined;
    throw error;
  }
};

/**
 * Pushes the image unless the tag already has it: blobs first, then a tag of the time, the tag itself last. When the budget is spent it stops
 * between blobs, and the next call goes on there. Throws OciError.
 */
export const pushImage = async (
  registry: Registry,
  { target, manifest, blobs }: ImageToPush,
  { signal, mayGoOn, now }: PushBudget,
): Promise<PushResult> => {
  if ((await digestAt(registry, target, signal)) === manifest.digest) return { state: 'there' };
  const wanted = distinct(blobs);
  let there = 0;
  let moved = 0;
  await mapBounded(wanted, blobsAtOnce, async (blob) => {
    const fromHere = 'from' in blob && sameRepository(blob.from.repository, target);
    if (!fromHere && !(await registry.hasBlob(target, blob.digest, { signal }))) {
      if (moved > 0 && !mayGoOn()) return;
      moved += 1;
      await moveBlob(registry, target, blob, signal);
    }
    there += 1;
  });
  if (there < wanted.length) return { state: 'unfinished', blobs: there, of: wanted.length };
  await registry.putManifest(withTag(target, stamp(now)), manifest, { signal });
  await registry.putManifest(target, manifest, { signal });
  return { state: 'pushed' };
};
