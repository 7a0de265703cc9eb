/** Puts an image under a tag, moving only what is not there yet, within a budget of time (spec 04 §9.4 "Save"; DESIGN §3.14). */

import { type BlobOrigin, copyBlob } from '../oci/copy.ts';
import { isOciError } from '../oci/errors.ts';
import { inParallel } from '../oci/in-parallel.ts';
import { type Repository, repositoryOf, sameRepository, type TagReference, withTag } from '../oci/reference.ts';
import type { BlobName, CallOptions, RawManifest, Registry } from '../oci/registry.ts';
import { type BlobPlaces, blobPlaces } from './blob-places.ts';

/** A blob of the image, and where its bytes are. */
export type BlobToPush = BlobName & {
  /** Not uploaded by anybody: a registry of its maker's serves it. */
  readonly foreign?: boolean;
} & ({ readonly bytes: Uint8Array } | { readonly from: BlobOrigin });

/** An image and where it goes. */
export interface ImageToPush {
  readonly target: TagReference;
  readonly manifest: RawManifest;
  readonly blobs: readonly BlobToPush[];
}

/** The time a push may take. */
export interface PushBudget {
  readonly signal: AbortSignal;
  /** After this many seconds uploads are left where they are. */
  readonly seconds: number;
  /** Four unless given; one for a blob so large that it needs the line for itself. */
  readonly blobsAtOnce?: number | undefined;
  readonly now: Date;
}

/** `there`: nothing was written. `pushed`: it is there now. `unfinished`: so many of so many blobs are there. */
export type PushResult =
  | { readonly state: 'there' | 'pushed' }
  | { readonly state: 'unfinished'; readonly blobs: number; readonly of: number };

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
  from: { registry, repository: repositoryOf(repository) },
});

const distinct = (blobs: readonly BlobToPush[]): readonly BlobToPush[] => [
  ...new Map(blobs.filter(({ foreign }) => foreign !== true).map((blob) => [blob.digest, blob])).values(),
];

const once = async function* (bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
};

/** Whether its bytes had to be sent; a mount sends none. */
const moveBlob = async (
  registry: Registry,
  into: Repository,
  blob: BlobToPush,
  places: BlobPlaces,
  options: CallOptions,
): Promise<boolean> => {
  const known = places.find(into.registry, blob.digest);
  const elsewhere = known !== undefined && !sameRepository(known, into);
  if (elsewhere && (await registry.mountBlob(into, blob.digest, known, options))) return false;
  if ('from' in blob) return (await copyBlob(registry, blob, blob.from, into, options)) === 'uploaded';
  const { digest, size, bytes } = blob;
  if (await registry.hasBlob(into, digest, options)) return false;
  await registry.pushBlob(into, { digest, size, open: () => once(bytes) }, options);
  return true;
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

/** How many of the blobs are there when time is up. Throws when none could be sent in that time. */
const moveBlobs = async (
  registry: Registry,
  into: Repository,
  blobs: readonly BlobToPush[],
  { signal, seconds, blobsAtOnce = 4 }: PushBudget,
  places: BlobPlaces,
): Promise<number> => {
  const timeIsUp = AbortSignal.timeout(Math.floor(Math.max(0, seconds) * 1000));
  const options = { signal: AbortSignal.any([signal, timeIsUp]) };
  let there = 0;
  let sent = 0;
  await inParallel(blobs, blobsAtOnce, async (blob) => {
    // The first is begun however late it is, so that it fails with words that say so.
    if (sent > 0 && timeIsUp.aborted) return;
    try {
      if (await moveBlob(registry, into, blob, places, options)) sent += 1;
      places.remember(into, blob.digest);
      there += 1;
    } catch (error) {
      if (sent === 0 || signal.aborted || !timeIsUp.aborted) throw error;
    }
  });
  return there;
};

/**
 * Pushes the image unless the tag already has it: blobs first, then a tag of the time, the tag itself last. When its time is up it stops, and
 * the next call goes on after the blobs that are there. Throws OciError.
 */
export const pushImage = async (
  registry: Registry,
  { target, manifest, blobs }: ImageToPush,
  budget: PushBudget,
  places: BlobPlaces = blobPlaces(),
): Promise<PushResult> => {
  const { signal, now } = budget;
  if ((await digestAt(registry, target, signal)) === manifest.digest) return { state: 'there' };
  const wanted = distinct(blobs);
  const there = await moveBlobs(registry, repositoryOf(target), wanted, budget, places);
  if (there < wanted.length) return { state: 'unfinished', blobs: there, of: wanted.length };
  await registry.putManifest(withTag(target, stamp(now)), manifest, { signal });
  await registry.putManifest(target, manifest, { signal });
  return { state: 'pushed' };
};
