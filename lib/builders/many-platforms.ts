/**
 * A builder for several platforms (beyond kpack): an index over one builder per platform, beside an index of run images. Its parts are read by
 * the names in the specs, as the statuses name linux/amd64 alone; all must offer a platform for the builder to have it.
 */

import type { BuildpackStatus } from '../api/buildpacks.ts';
import { mapBounded } from '../buildpacks/bounded.ts';
import { fetchImage } from '../buildpacks/fetch-image.ts';
import { lifecycleOf } from '../buildpacks/lifecycle-reader.ts';
import { type Account, type Offer } from '../buildpacks/offers.ts';
import { stackOf } from '../buildpacks/stack-reader.ts';
import { buildpacksIn, extensionsIn, nameOf } from '../buildpacks/store-reader.ts';
import { ExpectedError } from '../errors/expected.ts';
import { descriptorsIn, parseObject, platformIn } from '../oci/descriptor.ts';
import { type Digest, digestOf } from '../oci/digest.ts';
import { dockerIndexType, dockerManifestType, isIndexType, ociIndexType } from '../oci/media-types.ts';
import { parseReference } from '../oci/reference.ts';
import type { RawManifest, Registry } from '../oci/registry.ts';
import { targetsInPackages } from './buildpack-targets.ts';
import { accountFor, type BuilderRecipe, type CreatedBuilder } from './create.ts';
import type { ImageAccess } from './image-access.ts';
import { type BuilderParts, builderImageOf, type PreparedImage, runImageOf } from './parts.ts';
import { byPlatform, type PlatformName, type PlatformsWanted, platformName, usualPlatformName } from './platforms.ts';
import type { ImageToPush } from './push-image.ts';
import { withBoth } from './target.ts';

/** An image by the name a user gave it, and who reads it. */
interface Source {
  readonly name: string;
  readonly registry: Registry;
}

const readsAtOnce = 4;

/** The images a builder is made of: build and run image, lifecycle, then buildpackages, each once. */
const sourcesOf = async (
  { stack, lifecycle, resolved, extensions }: BuilderRecipe,
  account: Account,
  { registryFor }: ImageAccess,
): Promise<readonly Source[]> => {
  const stackRegistry = await registryFor(accountFor(stack, account));
  const packages = new Map(
    [...resolved.buildpacks, ...(extensions?.extensions ?? [])].map(
      (offer) => [`${offer.buildpack.storeImage?.image}`, offer.account] as const,
    ),
  );
  return [
    { name: stack.spec.buildImage.image, registry: stackRegistry },
    { name: stack.spec.runImage.image, registry: stackRegistry },
    { name: lifecycle.spec.image, registry: await registryFor(accountFor(lifecycle, account)) },
    ...(await mapBounded([...packages], readsAtOnce, async ([name, owner]) => ({
      name,
      registry: await registryFor(owner),
    }))),
  ];
};

/** What the names stand for now: when it is the same, the builder would be too. */
export const sourceDigests = async (
  recipe: BuilderRecipe,
  account: Account,
  access: ImageAccess,
): Promise<readonly (Digest | undefined)[]> =>
  mapBounded(await sourcesOf(recipe, account, access), readsAtOnce, async ({ name, registry }) => {
    const reference = parseReference(name);
    return reference.digest ?? (await registry.headManifest(reference, { signal: access.signal }))?.digest;
  });

const offeredBy = async ({ name, registry }: Source, access: ImageAccess): Promise<readonly PlatformName[]> => {
  const found = await registry.getManifest(parseReference(name), { signal: access.signal });
  if (!isIndexType(found.mediaType)) {
    const image = await fetchImage(registry, name, access.configs, { signal: access.signal });
    return [platformName(image.platform)];
  }
  return descriptorsIn(parseObject(found.bytes, name), 'manifests', name).flatMap((child) => {
    const platform = platformIn(child);
    return platform === undefined || platform.os !== 'linux' ? [] : [platformName(platform)];
  });
};

/** The platforms to make. Throws ExpectedError, naming the part, when one that is wanted is not offered: somebody may push it. */
const platformsOf = async (
  sources: readonly Source[],
  wanted: PlatformsWanted,
  access: ImageAccess,
): Promise<readonly PlatformName[]> => {
  const offers = await mapBounded(sources, readsAtOnce, (source) => offeredBy(source, access));
  const [first = []] = offers;
  const names = wanted === 'all' ? [...new Set(first)] : wanted;
  const made = names.filter((name) => offers.every((offer) => offer.includes(name)));
  const lacking = wanted === 'all' && made.length > 0 ? undefined : names.find((name) => !made.includes(name));
  if (lacking === undefined) return made.toSorted(byPlatform);
  const who = sources[offers.findIndex((offer) => !offer.includes(lacking))]?.name ?? '';
  const has = offers.find((offer) => !offer.includes(lacking)) ?? [];
  throw new ExpectedError(
    `no builder can be made for ${lacking}: ${who} is for ${has.join(', ') || 'no platform'} only`,
    {
      pace: 'slow',
    },
  );
};

const partsFor = async (
  name: PlatformName,
  { stack, lifecycle, resolved, extensions }: BuilderRecipe,
  sources: readonly Source[],
  access: ImageAccess,
): Promise<BuilderParts> => {
  const [os = '', architecture = ''] = name.split('/');
  const images = await mapBounded(sources, readsAtOnce, async (source) => ({
    ...source,
    image: await fetchImage(source.registry, source.name, access.configs, {
      signal: access.signal,
      platform: { os, architecture },
    }),
  }));
  const [build, run, lifecyclePart, ...packages] = images;
  if (build === undefined || run === undefined || lifecyclePart === undefined)
    throw new Error('a builder has three images');
  const read = packages.map(({ name: image, image: content }) => ({ image, content }));
  const keyOf = (module: BuildpackStatus): string => JSON.stringify([module.storeImage?.image, nameOf(module)]);
  const forPlatform = (wanted: readonly Offer[], modules: readonly BuildpackStatus[]): readonly Offer[] => {
    const offered = new Map(modules.map((module) => [keyOf(module), module]));
    return wanted.map(({ buildpack, account }) => {
      const found = offered.get(keyOf(buildpack));
      if (found !== undefined) return { buildpack: found, account };
      throw new ExpectedError(`${buildpack.storeImage?.image} holds no ${nameOf(buildpack)} for ${name}`, {
        pace: 'slow',
      });
    });
  };
  const buildpacks = forPlatform(resolved.buildpacks, buildpacksIn(read));
  return {
    build,
    run,
    lifecycle: lifecyclePart,
    lifecycleName: lifecycle.spec.image,
    stackStatus: stackOf(stack.spec, build.image, run.image),
    lifecycleStatus: lifecycleOf(lifecycle.spec.image, lifecyclePart.image),
    resolved: { ...resolved, buildpacks },
    extensions: extensions && {
      ...extensions,
      extensions: forPlatform(extensions.extensions, extensionsIn(read)),
    },
    targets: targetsInPackages(buildpacks, packages),
  };
};

/** What kpack would take must be what the statuses say: stack and lifecycle are read anew first when their tags have moved. */
const assertAsRead = (parts: BuilderParts, { stack, lifecycle }: BuilderRecipe): void => {
  const stale = [
    [`ClusterStack ${stack.metadata.name}`, parts.build, stack.status?.buildImage?.latestImage],
    [`ClusterStack ${stack.metadata.name}`, parts.run, stack.status?.runImage?.latestImage],
    [`ClusterLifecycle ${lifecycle.metadata.name}`, parts.lifecycle, lifecycle.status?.image?.latestImage],
  ] as const;
  for (const [who, { image }, latest] of stale) {
    if (image.identifier !== latest)
      throw new ExpectedError(`${who} has not been read since a tag of its images moved`, { pace: 'soon' });
  }
};

/** One manifest per platform under one name. */
const indexOf = (images: readonly (PreparedImage & { readonly platform: PlatformName })[]): RawManifest => {
  const mediaType = images.every(({ manifest }) => manifest.mediaType === dockerManifestType)
    ? dockerIndexType
    : ociIndexType;
  const manifests = images.map(({ manifest, platform }) => {
    const [os, architecture] = platform.split('/');
    return {
      mediaType: manifest.mediaType,
      size: manifest.bytes.byteLength,
      digest: manifest.digest,
      platform: { architecture, os },
    };
  });
  const bytes = new TextEncoder().encode(JSON.stringify({ schemaVersion: 2, mediaType, manifests }));
  return { mediaType, bytes, digest: digestOf(bytes) };
};

const together = (
  images: readonly (PreparedImage & { readonly platform: PlatformName })[],
): Omit<ImageToPush, 'target'> => {
  const [only] = images;
  if (only !== undefined && images.length === 1) return { manifest: only.manifest, blobs: only.blobs };
  return {
    manifest: indexOf(images),
    blobs: images.flatMap(({ blobs }) => blobs),
    children: images.map(({ manifest }) => manifest),
  };
};

/** As createBuilder, for every platform that is wanted and offered; for one alone it is the image kpack would make. */
export const createForPlatforms = async (
  recipe: BuilderRecipe,
  wanted: PlatformsWanted,
  account: Account,
  access: ImageAccess,
): Promise<CreatedBuilder> => {
  const { target } = recipe;
  const sources = await sourcesOf(recipe, account, access);
  const platforms = await platformsOf(sources, wanted, access);
  const parts: (readonly [PlatformName, BuilderParts])[] = [];
  for (const platform of platforms) parts.push([platform, await partsFor(platform, recipe, sources, access)]);
  for (const [platform, part] of parts) if (platform === usualPlatformName) assertAsRead(part, recipe);
  const runImage = together(parts.map(([platform, part]) => ({ platform, ...runImageOf(part) })));
  const runImageName = withBoth(target.runImage, runImage.manifest.digest);
  const builders = await mapBounded(parts, 1, async ([platform, part]) => ({
    platform,
    ...(await builderImageOf(part, runImageName, recipe, access)),
  }));
  return {
    runImage: { target: target.runImage, ...runImage },
    builder: { target: target.builder, ...together(builders) },
    os: 'linux',
  };
};
