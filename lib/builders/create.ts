/** From a builder's inputs to its image, without writing anything (spec 04 §8.1). Builders for several platforms: many-platforms.ts. */
import type { BuilderStatus } from '../api/builder.ts';
import type { ClusterLifecycle } from '../api/cluster-lifecycle.ts';
import type { ClusterStack } from '../api/cluster-stack.ts';
import { fetchImage } from '../buildpacks/fetch-image.ts';
import { type Account, accountOf } from '../buildpacks/offers.ts';
import type { ResolvedExtensions } from '../buildpacks/resolve-extensions.ts';
import type { ResolvedOrder } from '../buildpacks/resolve-order.ts';
import type { Registry } from '../oci/registry.ts';
import { readTargets, type TargetsMemory } from './buildpack-targets.ts';
import type { ImageAccess } from './image-access.ts';
import { builderContent } from './kept-image.ts';
import { type BuilderParts, builderImageOf, type ReadPart, runImageOf } from './parts.ts';
import type { PlatformsWanted } from './platforms.ts';
import type { ImageToPush } from './push-image.ts';
import { type BuilderTarget, withBoth } from './target.ts';

/** Everything the image hangs on. */
export interface BuilderRecipe {
  readonly stack: ClusterStack;
  readonly lifecycle: ClusterLifecycle;
  readonly resolved: ResolvedOrder;
  /** Absent when the builder asks for none, as then nothing of it tells extensions. */
  readonly extensions?: ResolvedExtensions | undefined;
  readonly target: BuilderTarget;
  readonly additionalLabels: Readonly<Record<string, string>>;
  readonly creatorVersion: string;
  /** Undefined: linux/amd64 alone, as kpack does. */
  readonly platforms?: PlatformsWanted | undefined;
}

/** The two images to push, and what the status will say of them. */
export interface CreatedBuilder {
  readonly runImage: ImageToPush;
  readonly builder: ImageToPush;
  /** What is in the builder, whoever made it; undefined of one for several platforms. */
  readonly content?: string | undefined;
  readonly os: string;
}

/** Who reads the images of a stack or lifecycle: its own account, else the builder's. */
export const accountFor = ({ spec }: ClusterStack | ClusterLifecycle, builder: Account): Account =>
  spec.serviceAccountRef === undefined ? builder : accountOf(spec.serviceAccountRef);

/** The parts that the statuses name. Throws OciError when they cannot be read. */
export const namedParts = async (
  { stack, lifecycle, resolved, extensions }: BuilderRecipe,
  account: Account,
  access: ImageAccess,
  memory: TargetsMemory,
): Promise<BuilderParts> => {
  const [stackRegistry, lifecycleRegistry] = await Promise.all([
    access.registryFor(accountFor(stack, account)),
    access.registryFor(accountFor(lifecycle, account)),
  ]);
  const read = async (registry: Registry, name: string | undefined): Promise<ReadPart> => ({
    image: await fetchImage(registry, name ?? '', access.configs, { signal: access.signal }),
    registry,
  });
  const [stackStatus, lifecycleStatus] = [stack.status ?? {}, lifecycle.status ?? {}];
  const [build, run, lifecyclePart, targets] = await Promise.all([
    read(stackRegistry, stackStatus.buildImage?.latestImage),
    read(stackRegistry, stackStatus.runImage?.latestImage),
    read(lifecycleRegistry, lifecycleStatus.image?.latestImage),
    readTargets(resolved.buildpacks, memory, access),
  ]);
  return {
    build,
    run,
    lifecycle: lifecyclePart,
    lifecycleName: lifecycle.spec.image,
    stackStatus,
    lifecycleStatus,
    resolved,
    extensions,
    targets,
  };
};

/** Throws PermanentError when the parts do not fit together, OciError when they cannot be read. */
export const createBuilder = async (
  recipe: BuilderRecipe,
  account: Account,
  access: ImageAccess,
  memory: TargetsMemory,
): Promise<CreatedBuilder> => {
  const { target } = recipe;
  const parts = await namedParts(recipe, account, access, memory);
  const runImage = runImageOf(parts);
  const runImageName = withBoth(target.runImage, runImage.manifest.digest);
  const { config, ...builder } = await builderImageOf(parts, runImageName, recipe, access);
  return {
    runImage: { target: target.runImage, ...runImage },
    builder: { target: target.builder, ...builder },
    content: builderContent(config),
    os: parts.build.image.platform.os,
  };
};

/** What the status says of a builder that is there (spec 04 §8.9). */
export const recordOf = (
  { stack, lifecycle, resolved, extensions, target }: BuilderRecipe,
  store: { readonly status?: { readonly observedGeneration?: number | undefined } | undefined } | undefined,
  { builder, runImage, os }: CreatedBuilder,
): Omit<BuilderStatus, 'conditions' | 'observedGeneration' | 'signaturePaths'> => {
  const { version, api = {}, apis = {} } = lifecycle.status ?? {};
  const modules = [...resolved.buildpacks, ...(extensions?.extensions ?? [])];
  const storeGeneration = store?.status?.observedGeneration ?? 0;
  return {
    latestImage: withBoth(target.builder, builder.manifest.digest),
    stack: { runImage: withBoth(target.runImage, runImage.manifest.digest), id: stack.status?.id ?? '' },
    lifecycle: { image: {}, ...(version && { version }), api, apis },
    ...(modules.length > 0 && {
      builderMetadata: modules.map(({ buildpack: { id, version: bpVersion = '', homepage } }) => ({
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
    ...(extensions !== undefined &&
      extensions.order.length > 0 && {
        orderExtensions: extensions.order.map(({ group }) => ({
          group: group.map(({ id, version: refVersion }) => ({ id, ...(refVersion && { version: refVersion }) })),
        })),
      }),
    observedStackGeneration: stack.status?.observedGeneration ?? 0,
    ...(storeGeneration && { observedStoreGeneration: storeGeneration }),
    os,
  };
};
