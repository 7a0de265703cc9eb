/** From a builder's inputs to its image, without writing anything: validated, assembled, and each blob traced to where it is (spec 04 §8.1). */
import type { BuilderStatus } from '../api/builder.ts';
import type { BuildpackStatus } from '../api/buildpacks.ts';
import type { ClusterLifecycle } from '../api/cluster-lifecycle.ts';
import type { ClusterStack } from '../api/cluster-stack.ts';
import { type AssembledImage, assembleBuilder } from '../buildpacks/assemble.ts';
import { type ConfigCache, type FetchedImage, fetchImage } from '../buildpacks/fetch-image.ts';
import { type Account, accountOf, type Offer } from '../buildpacks/offers.ts';
import type { ResolvedOrder } from '../buildpacks/resolve-order.ts';
import { assertBuildpackFits, assertPlatformApis, assertSamePlatform } from '../buildpacks/validate.ts';
import { PermanentError } from '../errors/expected.ts';
import { parseDigest } from '../oci/digest.ts';
import { parseRepository } from '../oci/reference.ts';
import type { Registry } from '../oci/registry.ts';
import { type BlobToPush, blobFrom, type ImageToPush } from './push-image.ts';
import { type BuilderTarget, withBoth } from './target.ts';

/** Everything the image hangs on. */
export interface BuilderRecipe {
  readonly stack: ClusterStack;
  readonly lifecycle: ClusterLifecycle;
  readonly resolved: ResolvedOrder;
  readonly target: BuilderTarget;
  readonly additionalLabels: Readonly<Record<string, string>>;
  readonly creatorVersion: string;
}

/** How images are read: with whose credentials, and what is known already. */
export interface ImageAccess {
  readonly registryFor: (account: Account) => Promise<Registry>;
  readonly configs: ConfigCache;
  readonly signal: AbortSignal;
}

/** The two images to push, and what the status will say of them. */
export interface CreatedBuilder {
  readonly runImage: ImageToPush;
  readonly builder: ImageToPush;
  readonly os: string;
}

const accountFor = ({ spec }: ClusterStack | ClusterLifecycle, builder: Account): Account =>
  spec.serviceAccountRef === undefined ? builder : accountOf(spec.serviceAccountRef);

/** The lifecycle itself is the last layer of its image (spec 04 §8.1). */
const lifecycleLayerOf = ({ layers, diffIds }: FetchedImage) => {
  const [layer, diffId] = [layers.at(-1), diffIds.at(-1)];
  if (layer === undefined || diffId === undefined || layers.length !== diffIds.length) {
    throw new PermanentError(
      'ReconcileFailed',
      'failed to find lifecycle layer: failed to find lifecycle image layers',
    );
  }
  return { descriptor: layer.json, diffId };
};

const layerBlob = async ({ buildpack, account }: Offer, access: ImageAccess): Promise<BlobToPush> => ({
  digest: parseDigest(buildpack.digest ?? ''),
  size: buildpack.size ?? 0,
  from: { registry: await access.registryFor(account), repository: parseRepository(buildpack.storeImage?.image ?? '') },
});

const blobsOf = async (
  made: AssembledImage,
  base: { readonly image: FetchedImage; readonly registry: Registry },
  lifecycle: { readonly image: FetchedImage; readonly registry: Registry },
  buildpacks: readonly Offer[],
  access: ImageAccess,
): Promise<readonly BlobToPush[]> => {
  const baseLayers = base.image.layers.map((blob) => blobFrom(blob, base.registry, base.image.reference));
  const lifecycleLayers = lifecycle.image.layers
    .slice(-1)
    .map((blob) => blobFrom(blob, lifecycle.registry, lifecycle.image.reference));
  const own = [...made.layers, made.config].map(({ digest, bytes }) => ({ digest, bytes, size: bytes.byteLength }));
  const layers = await Promise.all(buildpacks.map((offer) => layerBlob(offer, access)));
  return [...baseLayers, ...lifecycleLayers, ...layers, ...own];
};

/** Throws PermanentError when the parts do not fit together, OciError when they cannot be read. */
export const createBuilder = async (
  { stack, lifecycle, resolved, target, additionalLabels, creatorVersion }: BuilderRecipe,
  account: Account,
  access: ImageAccess,
): Promise<CreatedBuilder> => {
  const [stackRegistry, lifecycleRegistry] = await Promise.all([
    access.registryFor(accountFor(stack, account)),
    access.registryFor(accountFor(lifecycle, account)),
  ]);
  const fetch = (registry: Registry, image: string | undefined): Promise<FetchedImage> =>
    fetchImage(registry, image ?? '', access.configs, { signal: access.signal });
  const stackStatus = stack.status ?? {};
  const lifecycleStatus = lifecycle.status ?? {};
  const [build, run, lifecycleImage] = await Promise.all([
    fetch(stackRegistry, stackStatus.buildImage?.latestImage),
    fetch(stackRegistry, stackStatus.runImage?.latestImage),
    fetch(lifecycleRegistry, lifecycleStatus.image?.latestImage),
  ]);

  const lifecycleLayer = lifecycleLayerOf(lifecycleImage);
  assertSamePlatform(build.platform, lifecycleImage.platform, lifecycle.spec.image);
  assertPlatformApis(lifecycleStatus);
  const buildpacks: readonly BuildpackStatus[] = resolved.buildpacks.map(({ buildpack }) => buildpack);
  const offer = { id: stackStatus.id ?? '', mixins: stackStatus.mixins ?? [] };
  for (const buildpack of buildpacks) assertBuildpackFits(buildpack, offer, lifecycleStatus);

  const made = assembleBuilder({
    base: build,
    userId: stackStatus.userId ?? 0,
    groupId: stackStatus.groupId ?? 0,
    runImage: withBoth(target.runImage, run.reference.digest),
    lifecycle: lifecycleStatus,
    lifecycleLayer,
    buildpacks,
    order: resolved.order,
    additionalLabels,
    creatorVersion,
  });
  const blobs = await blobsOf(
    made,
    { image: build, registry: stackRegistry },
    { image: lifecycleImage, registry: lifecycleRegistry },
    resolved.buildpacks,
    access,
  );
  return {
    runImage: {
      target: target.runImage,
      manifest: run.raw,
      blobs: [run.configDescriptor, ...run.layers].map((blob) => blobFrom(blob, stackRegistry, run.reference)),
    },
    builder: {
      target: target.builder,
      manifest: { mediaType: made.mediaType || build.mediaType, ...made.manifest },
      blobs,
    },
    os: build.platform.os,
  };
};

/** What the status says of a builder that is there (spec 04 §8.9). */
export const recordOf = (
  { stack, lifecycle, resolved, target }: BuilderRecipe,
  store: { readonly status?: { readonly observedGeneration?: number | undefined } | undefined } | undefined,
  { builder, runImage, os }: CreatedBuilder,
): Omit<BuilderStatus, 'conditions' | 'observedGeneration' | 'signaturePaths'> => {
  const { version, api = {}, apis = {} } = lifecycle.status ?? {};
  const storeGeneration = store?.status?.observedGeneration ?? 0;
  return {
    latestImage: withBoth(target.builder, builder.manifest.digest),
    stack: { runImage: withBoth(target.runImage, runImage.manifest.digest), id: stack.status?.id ?? '' },
    lifecycle: { image: {}, ...(version && { version }), api, apis },
    ...(resolved.buildpacks.length > 0 && {
      builderMetadata: resolved.buildpacks.map(({ buildpack: { id, version: bpVersion = '', homepage } }) => ({
        id,
        version: bpVersion,
        ...(homepage && { homepage }),
      })),
    }),
    ...(resolved.order.length > 0 && {
      order: resolved.order.map(({ group }) => ({
        group: group.map(({ id, version: refVersion, optional }) => ({
          id,
          ...(refVersion && { version: refVersion }),
          ...(optional && { optional }),
        })),
      })),
    }),
    observedStackGeneration: stack.status?.observedGeneration ?? 0,
    ...(storeGeneration && { observedStoreGeneration: storeGeneration }),
    os,
  };
};
