/** Puts an image under a tag, moving only what is not there yet, within a budget of time (spec 04 §9.4 "Save"; DESIGN §3.14). */

import { orAborted } from '../oci/abort.ts';
import { type BlobOrigin, linkBlob, sourceOf } from '../oci/copy.ts';
import { isOciError } from '../oci/errors.ts';
import { replay } from '../oci/http.ts';
import { inParallel } from '../oci/in-parallel.ts';
import {
  type Repository,
  repositoryOf,
  sameRepository,
  type TagReference,
  withDigest,
  withTag,
} from '../oci/reference.ts';
import type { BlobName, BlobSource, CallOptions, OpenUpload, RawManifest, Registry } from '../oci/registry.ts';
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
  /** Of an index: the manifests it names, stored before it. */
  readonly children?: readonly RawManifest[] | undefined;
}

/** The time a push may take. */
export interface PushBudget {
  readonly signal: AbortSignal;
  /** After this many seconds uploads are left where they are. */
  readonly seconds: number;
  readonly manner?: PushManner | undefined;
  readonly now: Date;
}

/**
 * How blobs are sent. `together`: four at once, what every registry takes. `alone`: one has the line for itself. `sittings`: one by one and in
 * pieces, for a blob that needs more time than one call has; `upload` is where the last call left off.
 */
export type PushManner =
  | { readonly blobs: 'together' | 'alone' }
  | { readonly blobs: 'sittings'; readonly upload?: OpenUpload | undefined };

/** Some blobs are not there yet. */
export interface Unfinished {
  readonly state: 'unfinished';
  /** So many are there. */
  readonly blobs: number;
  readonly of: number;
  /** Where the next call goes on with the next blob; its size in bytes. */
  readonly upload?: OpenUpload & { readonly size: number };
  /** Not one blob got through in the time there was: another manner is needed. */
  readonly stuck?: boolean;
}

/** `there`: nothing was written. `pushed`: it is there now. */
export type PushResult = { readonly state: 'there' | 'pushed' } | Unfinished;

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

/** Where the bytes come from when they have to be sent; undefined when the blob is there already, or is now by a mount. */
const toBeSent = async (
  registry: Registry,
  into: Repository,
  blob: BlobToPush,
  places: BlobPlaces,
  options: CallOptions,
): Promise<BlobSource | undefined> => {
  const known = places.find(into.registry, blob.digest);
  const elsewhere = known !== undefined && !sameRepository(known, into);
  if (elsewhere && (await registry.mountBlob(into, blob.digest, known, options))) return undefined;
  if ('from' in blob) {
    const linked = await linkBlob(registry, blob, blob.from, into, options);
    return linked === undefined ? sourceOf(registry, blob, blob.from) : undefined;
  }
  return (await registry.hasBlob(into, blob.digest, options))
    ? undefined
    : { ...replay(blob.bytes), digest: blob.digest };
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

/** Sends the blob, unless somebody else in this process is just sending it to that registry: then it is waited for and mounted. */
const sendOrMount = async (
  registry: Registry,
  into: Repository,
  source: BlobSource,
  /** Where it was known to be when it was looked for. */
  before: Repository | undefined,
  places: BlobPlaces,
  options: CallOptions,
): Promise<'sent' | 'mounted'> => {
  const { digest } = source;
  let tried = before;
  for (;;) {
    const other = places.underWay(into.registry, digest);
    if (other !== undefined) await orAborted(other, options.signal);
    const place = places.find(into.registry, digest);
    if (place === undefined || place === tried || sameRepository(place, into)) {
      if (places.underWay(into.registry, digest) === undefined) break;
      continue;
    }
    if (await registry.mountBlob(into, digest, place, options)) return 'mounted';
    tried = place;
  }
  await places.uploading(into.registry, digest, async () => {
    await registry.pushBlob(into, source, options);
    places.remember(into, digest);
  });
  return 'sent';
};

type Moved = Omit<Unfinished, 'state' | 'of'>;

/** Whole blobs, until time is up. */
const moveWhole = async (
  registry: Registry,
  into: Repository,
  blobs: readonly BlobToPush[],
  { signal, seconds }: PushBudget,
  atOnce: number,
  places: BlobPlaces,
): Promise<Moved> => {
  const timeIsUp = AbortSignal.timeout(Math.floor(Math.max(0, seconds) * 1000));
  const options = { signal: AbortSignal.any([signal, timeIsUp]) };
  let there = 0;
  let sent = 0;
  await inParallel(blobs, atOnce, async (blob) => {
    // The first is begun however late it is.
    if (sent > 0 && timeIsUp.aborted) return;
    try {
      const before = places.find(into.registry, blob.digest);
      const source = await toBeSent(registry, into, blob, places, options);
      if (source !== undefined && (await sendOrMount(registry, into, source, before, places, options)) === 'sent') {
        sent += 1;
      }
      places.remember(into, blob.digest);
      there += 1;
    } catch (error) {
      const late = timeIsUp.aborted && (sent > 0 || isOciError(error, 'timeout'));
      if (signal.aborted || !late) throw error;
    }
  });
  return sent === 0 && there < blobs.length ? { blobs: there, stuck: true } : { blobs: there };
};

/** Blobs one by one, in pieces, until time is up in the middle of one. */
const moveInSittings = async (
  registry: Registry,
  into: Repository,
  blobs: readonly BlobToPush[],
  { signal, seconds }: PushBudget,
  upload: OpenUpload | undefined,
  places: BlobPlaces,
): Promise<Moved> => {
  const startedMs = performance.now();
  let there = 0;
  let sent = 0;
  for (const blob of blobs) {
    const left = seconds - (performance.now() - startedMs) / 1000;
    const source = await toBeSent(registry, into, blob, places, { signal });
    if (source !== undefined) {
      if (sent > 0 && left <= 0) return { blobs: there };
      const open = await registry.pushBlobInSittings(into, source, {
        signal,
        seconds: left,
        ...(upload?.digest === blob.digest && { upload }),
      });
      if (open !== undefined) return { blobs: there, upload: { ...open, size: blob.size } };
      sent += 1;
    }
    places.remember(into, blob.digest);
    there += 1;
  }
  return { blobs: there };
};

/**
 * Pushes the image unless the tag already has it: blobs first, then a tag of the time, the tag itself last. When its time is up it stops, and
 * the next call goes on after the blobs that are there. Throws OciError.
 */
export const pushImage = async (
  registry: Registry,
  { target, manifest, blobs, children = [] }: ImageToPush,
  budget: PushBudget,
  places: BlobPlaces = blobPlaces(),
): Promise<PushResult> => {
  const { signal, now } = budget;
  if ((await digestAt(registry, target, signal)) === manifest.digest) return { state: 'there' };
  const wanted = distinct(blobs);
  const { manner = { blobs: 'together' } } = budget;
  const into = repositoryOf(target);
  // One by one the small ones go first: what is there grows from call to call, and only the large ones are left.
  const bySize = wanted.toSorted((a, b) => a.size - b.size);
  const moved =
    manner.blobs === 'sittings'
      ? await moveInSittings(registry, into, bySize, budget, manner.upload, places)
      : manner.blobs === 'alone'
        ? await moveWhole(registry, into, bySize, budget, 1, places)
        : await moveWhole(registry, into, wanted, budget, 4, places);
  if (moved.blobs < wanted.length) return { state: 'unfinished', of: wanted.length, ...moved };
  for (const child of children) await registry.putManifest(withDigest(target, child.digest), child, { signal });
  await registry.putManifest(withTag(target, stamp(now)), manifest, { signal });
  await registry.putManifest(target, manifest, { signal });
  return { state: 'pushed' };
};
