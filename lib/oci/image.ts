/** Reading an image: manifest and config, checked against their digests; no layer is touched (image-spec manifest.md, config.md; spec 04 §9.4). */
import {
  type Descriptor,
  descriptorsIn,
  type Platform,
  parseDescriptor,
  parseObject,
  platformIn,
  platformOf,
} from './descriptor.ts';
import type { Digest } from './digest.ts';
import { invalidContent } from './errors.ts';
import { type Json, recordIn, textsIn } from './image-json.ts';
import { longestLabel } from './label-bounds.ts';
import { isIndexType } from './media-types.ts';
import { type DigestReference, printReference, type Reference, withDigest } from './reference.ts';
import type { CallOptions, RawManifest, Registry } from './registry.ts';

/** One image for one platform. */
export interface OciImage {
  /** The image itself; of an index the child. */
  readonly reference: DigestReference;
  readonly mediaType: string;
  readonly manifest: Json;
  readonly config: Json;
  readonly configDescriptor: Descriptor;
  readonly layers: readonly Descriptor[];
  /** As many as layers in an honest image; nobody has checked that. */
  readonly diffIds: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** `NAME=value`. */
  readonly env: readonly string[];
  readonly platform: Platform;
}

/** An image as it was read from a registry. */
export interface StoredImage extends OciImage {
  /** The image's own manifest, byte by byte: copied as it is. */
  readonly raw: RawManifest;
  /** Digest of what the reference named: of an index, the index's own. */
  readonly namedDigest: Digest;
}

/** Configs by digest: content that cannot change. Whoever asks has read the manifest, with credentials of its own, just before. */
export interface KnownConfigs {
  readonly get: (digest: Digest) => Uint8Array | undefined;
  readonly put: (digest: Digest, bytes: Uint8Array) => void;
}

export interface ReadImageOptions extends CallOptions {
  /** Remembered by the caller; nothing is unless given. */
  readonly configs?: KnownConfigs | undefined;
  /** Which child of an index; `linux/amd64` unless given. Of several for it the one of the variant, else the first. */
  readonly platform?: WantedPlatform | undefined;
}

type WantedPlatform = Pick<Platform, 'os' | 'architecture'> & { readonly variant?: string };

/** kpack's choice, and that of its build pods (spec 04 §9.4). */
const usualPlatform = { os: 'linux', architecture: 'amd64' } as const;

/** Configs are a few KiB; labels of builders make them some hundred. */
const configLimitBytes = 4 * 1024 * 1024;

const childOf = (index: Json, reference: Reference, wanted: WantedPlatform): DigestReference => {
  const name = printReference(reference);
  const children = descriptorsIn(index, 'manifests', name).filter((one) => {
    // A child without a platform is taken for linux/amd64.
    const { os, architecture } = platformIn(one) ?? usualPlatform;
    return os === wanted.os && architecture === wanted.architecture;
  });
  const child = children.find((one) => wanted.variant && platformIn(one)?.variant === wanted.variant) ?? children[0];
  if (child === undefined)
    throw invalidContent(`no child with platform ${wanted.os}/${wanted.architecture} in index ${name}`);
  return withDigest(reference, child.digest);
};

const resolve = async (
  registry: Registry,
  reference: Reference,
  { platform = usualPlatform, signal }: ReadImageOptions,
): Promise<Pick<StoredImage, 'raw' | 'namedDigest'>> => {
  const found = await registry.getManifest(reference, { signal });
  if (!isIndexType(found.mediaType)) return { raw: found, namedDigest: found.digest };
  const child = childOf(parseObject(found.bytes, printReference(reference)), reference, platform);
  const manifest = await registry.getManifest(child, { signal });
  if (isIndexType(manifest.mediaType))
    throw invalidContent(`index ${printReference(reference)} has an index as its child`);
  return { raw: manifest, namedDigest: found.digest };
};

const isLabel = (entry: [string, unknown]): entry is [string, string] => {
  const [key, value] = entry;
  if (typeof value !== 'string') return false;
  if (value.length > longestLabel)
    throw invalidContent(`label ${key.slice(0, 200)} of an image has more than ${longestLabel} characters`);
  return true;
};

/** Texts of `config.Labels`; entries that are none are left out. Throws OciError `invalid-content` for one longer than a label can be. */
export const labelsIn = (config: Json): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(recordIn(recordIn(config, 'config'), 'Labels')).filter(isLabel));

/** Manifest and config as parsed, put together. Throws OciError `invalid-content` for what is no image. */
export const imageFrom = (reference: DigestReference, mediaType: string, manifest: Json, config: Json): OciImage => {
  const name = printReference(reference);
  return {
    reference,
    mediaType,
    manifest,
    config,
    configDescriptor: parseDescriptor(manifest['config'], `${name}: config`),
    layers: descriptorsIn(manifest, 'layers', name),
    diffIds: textsIn(recordIn(config, 'rootfs'), 'diff_ids'),
    labels: labelsIn(config),
    env: textsIn(recordIn(config, 'config'), 'Env'),
    platform: platformOf(config),
  };
};

/** The image a reference names, for one platform. Throws OciError, `invalid-content` for what is no image. */
export const readImage = async (
  registry: Registry,
  named: Reference,
  options: ReadImageOptions = {},
): Promise<StoredImage> => {
  const { raw, namedDigest } = await resolve(registry, named, options);
  const reference = withDigest(named, raw.digest);
  const name = printReference(reference);
  const manifest = parseObject(raw.bytes, name);
  const { signal, configs } = options;
  const blob = parseDescriptor(manifest['config'], `${name}: config`);
  const bytes =
    configs?.get(blob.digest) ?? (await registry.readBlob(named, blob, { signal, limitBytes: configLimitBytes }));
  configs?.put(blob.digest, bytes);
  const image = imageFrom(reference, raw.mediaType, manifest, parseObject(bytes, `the config of ${name}`));
  return { ...image, raw, namedDigest };
};
