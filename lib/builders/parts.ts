/** The parts of a builder for one platform, read; from them its image: validated, assembled, each blob traced to where it is (spec 04 §8.1). */
import type { ClusterLifecycleStatus } from '../api/cluster-lifecycle.ts';
import type { ClusterStackStatus } from '../api/cluster-stack.ts';
import { type AssembledImage, assembleBuilder } from '../buildpacks/assemble.ts';
import type { FetchedImage } from '../buildpacks/fetch-image.ts';
import type { Offer } from '../buildpacks/offers.ts';
import type { ResolvedExtensions } from '../buildpacks/resolve-extensions.ts';
import type { ResolvedOrder } from '../buildpacks/resolve-order.ts';
import { assertTargetsFit, baseTargetOf } from '../buildpacks/targets.ts';
import { assertBuildpackFits, assertPlatformApis, assertSamePlatform } from '../buildpacks/validate.ts';
import { assertExtensionsFit } from '../buildpacks/validate-extensions.ts';
import { PermanentError } from '../errors/expected.ts';
import { parseObject } from '../oci/descriptor.ts';
import { parseDigest } from '../oci/digest.ts';
import type { Json } from '../oci/image-json.ts';
import { parseRepository } from '../oci/reference.ts';
import type { RawManifest, Registry } from '../oci/registry.ts';
import type { BuildpackTargets } from './buildpack-targets.ts';
import type { ImageAccess } from './image-access.ts';
import { type BlobToPush, blobFrom } from './push-image.ts';

/** An image, and who reads it. */
export interface ReadPart {
  readonly image: FetchedImage;
  readonly registry: Registry;
}

/** Everything one platform's image is made of. */
export interface BuilderParts {
  readonly build: ReadPart;
  readonly run: ReadPart;
  readonly lifecycle: ReadPart;
  /** As the user wrote it, for messages. */
  readonly lifecycleName: string;
  readonly stackStatus: Partial<ClusterStackStatus>;
  readonly lifecycleStatus: Partial<ClusterLifecycleStatus>;
  readonly resolved: ResolvedOrder;
  /** Absent when the builder asks for none. */
  readonly extensions?: ResolvedExtensions | undefined;
  readonly targets: BuildpackTargets;
}

/** An image that is in no registry yet. */
export interface PreparedImage {
  readonly manifest: RawManifest;
  readonly blobs: readonly BlobToPush[];
}

/** A builder for one platform. */
export interface PreparedBuilder extends PreparedImage {
  readonly config: Json;
}

/** The lifecycle itself is the last layer of its image. */
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
  { build, lifecycle, resolved, extensions }: BuilderParts,
  access: ImageAccess,
): Promise<readonly BlobToPush[]> => {
  const baseLayers = build.image.layers.map((blob) => blobFrom(blob, build.registry, build.image.reference));
  const lifecycleLayers = lifecycle.image.layers
    .slice(-1)
    .map((blob) => blobFrom(blob, lifecycle.registry, lifecycle.image.reference));
  const own = [...made.layers, made.config].map(({ digest, bytes }) => ({ digest, bytes, size: bytes.byteLength }));
  const offers = [...resolved.buildpacks, ...(extensions?.extensions ?? [])];
  const layers = await Promise.all(offers.map((offer) => layerBlob(offer, access)));
  return [...baseLayers, ...lifecycleLayers, ...layers, ...own];
};

/** The run image as it is, to be put beside the builder. */
export const runImageOf = ({ run: { image, registry } }: BuilderParts): PreparedImage => ({
  manifest: image.raw,
  blobs: [image.configDescriptor, ...image.layers].map((blob) => blobFrom(blob, registry, image.reference)),
});

/** The builder, which names its run image so. Throws PermanentError when the parts do not fit together. */
export const builderImageOf = async (
  parts: BuilderParts,
  runImageName: string,
  {
    additionalLabels,
    creatorVersion,
  }: {
    readonly additionalLabels: Readonly<Record<string, string>>;
    readonly creatorVersion: string;
  },
  access: ImageAccess,
): Promise<PreparedBuilder> => {
  const { build, run, lifecycle, lifecycleName, stackStatus, lifecycleStatus, resolved, extensions, targets } = parts;
  const lifecycleLayer = lifecycleLayerOf(lifecycle.image);
  assertSamePlatform(build.image.platform, lifecycle.image.platform, lifecycleName);
  assertPlatformApis(lifecycleStatus);
  const buildpacks = resolved.buildpacks.map(({ buildpack }) => buildpack);
  const offer = { id: stackStatus.id ?? '', mixins: new Set(stackStatus.mixins) };
  for (const buildpack of buildpacks) assertBuildpackFits(buildpack, offer, lifecycleStatus);
  const extensionLayers = (extensions?.extensions ?? []).map(({ buildpack }) => buildpack);
  assertExtensionsFit(extensionLayers, lifecycleStatus);
  const base = baseTargetOf(build.image, run.image);
  for (const { name, path } of resolved.needed) assertTargetsFit(name, path, targets.get(name) ?? [], base);

  const { userId = 0, groupId = 0 } = stackStatus;
  if (userId < 0 || groupId < 0) {
    const message = `user ${userId} and group ${groupId} of the build image cannot own the directories of a builder`;
    throw new PermanentError('ReconcileFailed', message);
  }
  const made = assembleBuilder({
    base: build.image,
    userId,
    groupId,
    runImage: runImageName,
    lifecycle: lifecycleStatus,
    lifecycleLayer,
    buildpacks,
    order: resolved.order,
    ...(extensionLayers.length > 0 && { extensions: { order: extensions?.order ?? [], layers: extensionLayers } }),
    additionalLabels,
    creatorVersion,
  });
  return {
    manifest: { mediaType: made.mediaType || build.image.mediaType, ...made.manifest },
    blobs: await blobsOf(made, parts, access),
    config: parseObject(made.config.bytes, 'the config of a builder'),
  };
};
