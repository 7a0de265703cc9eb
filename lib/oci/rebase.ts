/**
 * Rebase as a pure registry operation: the app's layers on a new run image, no layer downloaded, no pod (spec 03 §13; DESIGN §3.13).
 * Read both images → refuse what is unsafe → compute and check → place blobs by mounts → write manifest under every tag.
 */
import { PermanentError } from '../errors/expected.ts';
import { oldBaseToRead, UnsafeRebaseError } from './base-length.ts';
import { copyBlob } from './copy.ts';
import { parseObject } from './descriptor.ts';
import { isOciError, OciError } from './errors.ts';
import { replay } from './http.ts';
import { imageFrom, type KnownConfigs, type OciImage, type ReadImageOptions, readImage } from './image.ts';
import { inParallel } from './in-parallel.ts';
import { isForeignLayerType } from './media-types.ts';
import { rebaseFault, rebaseRefusal } from './rebase-check.ts';
import { type RebasedImage, rebasedImage } from './rebased-image.ts';
import {
  type DigestReference,
  printReference,
  type Reference,
  type Repository,
  repositoryOf,
  sameRepository,
  type TagReference,
  withDigest,
} from './reference.ts';
import type { CallOptions, Registry } from './registry.ts';

export interface RebaseRequest {
  /** The last built image; by digest, or its tag might have moved meanwhile. */
  readonly app: Reference;
  readonly runImage: Reference;
  /** All are attempted; at least one. */
  readonly tags: readonly TagReference[];
}

/** A client for each origin: the credentials of one never meet another's content. Only that of the tags writes. */
export interface RebaseRegistries {
  readonly tags: Registry;
  readonly app: Registry;
  readonly runImage: Registry;
}

export interface Rebased {
  /** In the repository of the first tag. */
  readonly image: DigestReference;
  /** The run image it stands on now, by the digest of its platform's manifest. */
  readonly runImage: DigestReference;
  /** Bytes of the manifest. */
  readonly manifestSize: number;
  /** What `readImage` would say of it: no need to read it again. */
  readonly content: OciImage;
}

/** Blobs placed at once for one image: mounts are small, uploads are not. */
const blobsAtOnce = 4;

const placeBlobs = async (
  registries: RebaseRegistries,
  made: RebasedImage,
  { app, run }: { readonly app: OciImage; readonly run: OciImage },
  target: Repository,
  options: CallOptions,
): Promise<void> => {
  // What the new run image shares with the old one is beside the app already.
  const inApp = new Set(app.layers.map(({ digest }) => digest));
  const fromRun = { repository: run.reference, registry: registries.runImage };
  const fromApp = { repository: app.reference, registry: registries.app };
  const origins = [
    ...made.baseLayers.map((layer) => ({
      layer,
      from: inApp.has(layer.digest) ? fromApp : fromRun,
    })),
    ...made.appLayers.map((layer) => ({ layer, from: fromApp })),
  ];
  const distinct = new Map(origins.map((origin) => [origin.layer.digest, origin]));
  await inParallel([...distinct.values()], blobsAtOnce, async ({ layer, from }) => {
    if (!isForeignLayerType(layer.mediaType)) await copyBlob(registries.tags, layer, from, target, options);
  });
  await registries.tags.pushBlob(target, { ...replay(made.config), digest: made.configDigest }, options);
};

/** The tags that do not hold the image yet. One that was pushed before a death, and may not be moved, is not pushed again. */
const missing = async (
  { tags: registry }: RebaseRegistries,
  { digest }: RebasedImage,
  tags: readonly TagReference[],
  options: CallOptions,
): Promise<readonly TagReference[]> => {
  const isThere = async (tag: TagReference): Promise<boolean> => {
    try {
      // Should it be there after all, it is pushed once more, and the registry's refusal is looked into.
      return (await registry.headManifest(tag, { ...options, believed: true }))?.digest === digest;
    } catch (error) {
      // Who may push need not be allowed to look; whatever else is wrong, the push will say it.
      if (isOciError(error)) return false;
      throw error;
    }
  };
  const there = await Promise.all(tags.map(isThere));
  return tags.filter((_, index) => there[index] === false);
};

/** Blobs once per repository, the manifest once per tag. A tag that fails does not keep the others from being written. */
const push = async (
  registries: RebaseRegistries,
  made: RebasedImage,
  images: { readonly app: OciImage; readonly run: OciImage },
  tags: readonly TagReference[],
  options: CallOptions,
): Promise<void> => {
  const failures: { readonly tag: TagReference; readonly error: OciError }[] = [];
  const noted = async (concerned: readonly TagReference[], work: Promise<unknown>): Promise<boolean> => {
    try {
      await work;
      return true;
    } catch (error) {
      if (!isOciError(error)) throw error;
      failures.push(...concerned.map((tag) => ({ tag, error })));
      return false;
    }
  };
  const left = [...(await missing(registries, made, tags, options))];
  while (left[0] !== undefined) {
    const target = repositoryOf(left[0]);
    const here = left.filter((tag) => sameRepository(tag, target));
    left.splice(0, left.length, ...left.filter((tag) => !sameRepository(tag, target)));
    if (!(await noted(here, placeBlobs(registries, made, images, target, options)))) continue;
    for (const tag of here) {
      await noted(
        [tag],
        registries.tags.putManifest(tag, { mediaType: made.mediaType, bytes: made.manifest }, options),
      );
    }
  }
  // What may pass is told before what never will: then it is tried again, and the rest is left.
  const first = failures.find(({ error }) => error.code !== 'immutable') ?? failures[0];
  if (first === undefined) return;
  const causes = failures.map(({ tag, error }) => `[${printReference(tag)}: ${error.message}]`).join(', ');
  const { code, status, errors, retryAfterSeconds } = first.error;
  throw new OciError(code, `failed to write image to the following tags: ${causes}`, {
    status,
    errors,
    retryAfterSeconds,
    cause: first.error,
  });
};

/** diffIDs of the run image the app was built on, where only they tell its layers from the app's; undefined when they are not needed or cannot be read. */
const oldBaseOf = async (registry: Registry, app: OciImage, options: ReadImageOptions) => {
  const reference = oldBaseToRead(app);
  if (reference === undefined) return undefined;
  try {
    return (await readImage(registry, reference, options)).diffIds;
  } catch (error) {
    if (isOciError(error)) return undefined;
    throw error;
  }
};

/** What `readImage` will say of it, checked. Throws UnsafeRebaseError when it is not what it is to be. */
const contentOf = (made: RebasedImage, image: DigestReference, app: OciImage, run: OciImage): OciImage => {
  const [manifest, config] = [parseObject(made.manifest, 'manifest'), parseObject(made.config, 'config')];
  const content = imageFrom(image, made.mediaType, manifest, config);
  const fault = rebaseFault(content, app, run, made.kept);
  if (fault !== undefined) throw new UnsafeRebaseError(fault);
  return content;
};

/**
 * Puts the app image on the run image and moves all tags to the result. Doing it again writes the same image. Throws PermanentError with
 * the lifecycle's sentence when that would be unsafe, UnsafeRebaseError when building from source mends it, OciError when a registry fails; then some tags may have moved already. With `configs`
 * the run image's config is read once for all images that are put on it.
 */
export const rebaseImage = async (
  registries: RebaseRegistries,
  { app: appReference, runImage, tags }: RebaseRequest,
  { configs, ...options }: CallOptions & { readonly configs?: KnownConfigs | undefined } = {},
): Promise<Rebased> => {
  const [firstTag] = tags;
  if (firstTag === undefined) throw new PermanentError('', 'must provide one or more image tags');
  const app = await readImage(registries.app, appReference, options);
  // Of an index the child for the app's own platform: an arm64 app stays one.
  const platform = app.platform.os === '' ? undefined : app.platform;
  const run = await readImage(registries.runImage, runImage, { ...options, configs, platform });
  const refusal = rebaseRefusal(app, run);
  if (refusal !== undefined) throw new PermanentError('', refusal);
  const made = rebasedImage(app, run, await oldBaseOf(registries.runImage, app, { ...options, platform }));
  const image = withDigest(firstTag, made.digest);
  const content = contentOf(made, image, app, run);
  await push(registries, made, { app, run }, tags, options);
  return { image, runImage: run.reference, manifestSize: made.manifest.byteLength, content };
};
