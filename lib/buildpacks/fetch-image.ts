/** Reads one image for one platform: manifest and config, no layer (spec 04 §9.4 "Fetch"). */
import * as v from 'valibot';
import { type Digest, isDigest } from '../oci/digest.ts';
import { invalidContent } from '../oci/errors.ts';
import { isIndexType } from '../oci/media-types.ts';
import { parseReference, printReference, type Repository, repositoryOf, withDigest } from '../oci/reference.ts';
import type { BlobName, CallOptions, RawManifest, Registry } from '../oci/registry.ts';
import type { ParsedImage } from './assemble.ts';
import { type Json, recordIn, textIn, textsIn } from './image-json.ts';
import type { ReadableImage } from './readable-image.ts';

/** An image as it is stored, and as the readers see it. */
export interface FetchedImage extends ReadableImage {
  readonly repository: Repository;
  /** The manifest's own bytes: copied as they are. */
  readonly manifest: RawManifest;
  readonly parsed: ParsedImage;
  /** Config and layers, as the manifest lists them. */
  readonly blobs: readonly LayerBlob[];
  /** The layers with everything the manifest says of them. */
  readonly descriptors: readonly Json[];
}

/** A blob of an image and its media type. */
export interface LayerBlob extends BlobName {
  readonly mediaType: string;
}

const DescriptorSchema = v.looseObject({
  mediaType: v.optional(v.string(), ''),
  digest: v.custom<Digest>(isDigest, 'is no sha256 digest'),
  size: v.pipe(v.number(), v.integer(), v.minValue(0)),
});
const ManifestSchema = v.looseObject({ config: DescriptorSchema, layers: v.optional(v.array(DescriptorSchema), []) });
const IndexSchema = v.looseObject({
  manifests: v.array(
    v.looseObject({
      digest: v.custom<Digest>(isDigest, 'is no sha256 digest'),
      platform: v.optional(v.looseObject({ os: v.optional(v.string(), ''), architecture: v.optional(v.string(), '') })),
    }),
  ),
});

const read = <T extends v.GenericSchema>(schema: T, bytes: Uint8Array, what: string): v.InferOutput<T> => {
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw invalidContent(`${what} is not JSON`, { cause });
  }
  const parsed = v.safeParse(schema, document);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw invalidContent(`${what} is malformed at ${v.getDotPath(issue) ?? 'its root'}: ${issue.message}`);
};

const JsonObjectSchema = v.custom<Json>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'is no object',
);

/** The manifest of a linux/amd64 image; an index is followed to its child, as kpack does (spec 04 §9.4). */
const imageManifest = async (registry: Registry, image: string, options: CallOptions): Promise<RawManifest> => {
  const reference = parseReference(image);
  const found = await registry.getManifest(reference, options);
  if (!isIndexType(found.mediaType)) return found;
  const name = printReference(reference);
  const { manifests } = read(IndexSchema, found.bytes, `index ${name}`);
  const child = manifests.find(
    ({ platform }) => platform === undefined || (platform.os === 'linux' && platform.architecture === 'amd64'),
  );
  if (child === undefined) throw invalidContent(`no child with platform linux/amd64 in index ${name}`);
  return registry.getManifest(withDigest(reference, child.digest), options);
};

/** Configs by digest: content that cannot change. Whoever asks has read the manifest, with credentials of its own, first. */
export interface ConfigCache {
  readonly get: (digest: Digest) => Uint8Array | undefined;
  readonly put: (digest: Digest, bytes: Uint8Array) => void;
}

/** Remembers configs up to `limitBytes` in all, the oldest forgotten first. One per process. */
export const configCache = (limitBytes = 16 * 1024 * 1024): ConfigCache => {
  const kept = new Map<Digest, Uint8Array>();
  let size = 0;
  return {
    get: (digest) => kept.get(digest),
    put: (digest, bytes) => {
      if (kept.has(digest) || bytes.byteLength > limitBytes / 4) return;
      kept.set(digest, bytes);
      size += bytes.byteLength;
      for (const [oldest, { byteLength }] of kept) {
        if (size <= limitBytes) break;
        kept.delete(oldest);
        size -= byteLength;
      }
    },
  };
};

const labelsIn = (config: Json): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(recordIn(recordIn(config, 'config'), 'Labels')).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  );

/**
 * The image a reference names. Throws PermanentError for a bad reference, OciError for everything else. Its content is checked against its digests.
 */
export const fetchImage = async (
  registry: Registry,
  image: string,
  cache: ConfigCache,
  options: CallOptions = {},
): Promise<FetchedImage> => {
  const repository = repositoryOf(parseReference(image));
  const manifest = await imageManifest(registry, image, options);
  const identifier = printReference(withDigest(repository, manifest.digest));
  const { config: configBlob, layers, ...rest } = read(ManifestSchema, manifest.bytes, `manifest ${identifier}`);
  const bytes = cache.get(configBlob.digest) ?? (await registry.readBlob(repository, configBlob, options));
  cache.put(configBlob.digest, bytes);
  const config = read(JsonObjectSchema, bytes, `config of ${identifier}`);
  return {
    identifier,
    repository,
    manifest,
    parsed: { manifest: { ...rest, config: configBlob, layers }, config },
    blobs: [configBlob, ...layers],
    descriptors: layers,
    labels: labelsIn(config),
    env: textsIn(recordIn(config, 'config'), 'Env'),
    diffIds: textsIn(recordIn(config, 'rootfs'), 'diff_ids'),
    layers,
    platform: {
      os: textIn(config, 'os'),
      architecture: textIn(config, 'architecture'),
      variant: textIn(config, 'variant'),
    },
  };
};
