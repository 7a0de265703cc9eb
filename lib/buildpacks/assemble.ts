/** A builder image from its parts, without any registry: manifest, config and the layers that are new (spec 04 §8.3–§8.7). */
import type { BuildpackStatus } from '../api/buildpacks.ts';
import { type Digest, digestOf } from '../oci/digest.ts';
import { labelsIn } from '../oci/image.ts';
import { configBytes, type Json, manifestBytes, recordIn, textsIn } from '../oci/image-json.ts';
import { dockerLayerType } from '../oci/media-types.ts';
import { type BuilderContent, builderLabels } from './builder-labels.ts';
import { directoriesTar, orderTar, runTar, stackTar } from './builder-layers.ts';
import { gzip } from './gzip/gzip.ts';

/** Manifest and config of an image as parsed JSON. */
interface ParsedImage {
  readonly manifest: Json;
  readonly config: Json;
}

/** A layer on its way into the builder. */
interface NewLayer {
  readonly descriptor: Json;
  readonly diffId: string;
  /** The compressed bytes, for layers made here. */
  readonly bytes?: Uint8Array;
}

/** What goes into a builder. */
export interface BuilderParts extends BuilderContent {
  /** The build image of the stack. */
  readonly base: ParsedImage;
  readonly userId: number;
  readonly groupId: number;
  readonly lifecycleLayer: { readonly descriptor: Json; readonly diffId: string };
}

/** Bytes that are stored under the digest of themselves. */
interface MadeBlob {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

/** The image, and what of it is in no registry yet. */
export interface AssembledImage {
  /** Empty when the base manifest says none. */
  readonly mediaType: string;
  readonly manifest: MadeBlob;
  readonly config: MadeBlob;
  /** Layers made here. Base, lifecycle and buildpack layers are mounted or copied from where they are. */
  readonly layers: readonly MadeBlob[];
}

const madeLayer = (tar: Uint8Array): NewLayer => {
  const bytes = gzip(tar);
  return {
    descriptor: { mediaType: dockerLayerType, size: bytes.length, digest: digestOf(bytes) },
    diffId: digestOf(tar),
    bytes,
  };
};

const buildpackLayer = ({ size = 0, digest = '', diffId = '' }: BuildpackStatus): NewLayer => ({
  descriptor: { mediaType: dockerLayerType, size, digest },
  diffId,
});

/** The first of each diffID stays; the base is not considered (spec 04 §8.3). */
const addedLayers = (parts: BuilderParts): readonly NewLayer[] => {
  const { extensions } = parts;
  const layers = [
    madeLayer(directoriesTar({ ...parts, hasExtensions: extensions !== undefined })),
    parts.lifecycleLayer,
    ...[...parts.buildpacks, ...(extensions?.layers ?? [])].map(buildpackLayer),
    madeLayer(stackTar(parts.runImage)),
    ...(extensions === undefined ? [] : [madeLayer(runTar(parts.runImage))]),
    madeLayer(orderTar(parts.order, extensions?.order)),
  ];
  const firstOf = new Map<string, NewLayer>();
  for (const layer of layers) if (!firstOf.has(layer.diffId)) firstOf.set(layer.diffId, layer);
  return [...firstOf.values()];
};

const listIn = (document: Json, key: string): readonly unknown[] => {
  const value = document[key];
  return Array.isArray(value) ? value : [];
};

const configOf = (parts: BuilderParts, added: readonly NewLayer[]): Json => {
  const { config } = parts.base;
  const rootfs = recordIn(config, 'rootfs');
  return {
    ...config,
    rootfs: { ...rootfs, diff_ids: [...textsIn(rootfs, 'diff_ids'), ...added.map(({ diffId }) => diffId)] },
    history: [...listIn(config, 'history'), ...added.map(() => ({}))],
    config: { ...recordIn(config, 'config'), WorkingDir: '/layers', Labels: builderLabels(labelsIn(config), parts) },
  };
};

const blob = (bytes: Uint8Array): MadeBlob => ({ digest: digestOf(bytes), bytes });

/** The builder image. Same parts, same digests. */
export const assembleBuilder = (parts: BuilderParts): AssembledImage => {
  const added = addedLayers(parts);
  const config = blob(configBytes(configOf(parts, added)));
  const base = parts.base.manifest;
  const configDescriptor = recordIn(base, 'config');
  const manifest = manifestBytes({
    ...base,
    config: {
      ...configDescriptor,
      size: config.bytes.length,
      digest: config.digest,
      ...(configDescriptor['data'] !== undefined && { data: Buffer.from(config.bytes).toString('base64') }),
    },
    layers: [...listIn(base, 'layers'), ...added.map(({ descriptor }) => descriptor)],
  });
  const { mediaType } = base;
  return {
    mediaType: typeof mediaType === 'string' ? mediaType : '',
    manifest: blob(manifest),
    config,
    layers: added.flatMap(({ bytes }) => (bytes === undefined ? [] : [blob(bytes)])),
  };
};
