/** What a build made, as the completion step's termination message or the image itself says it (spec 02 §6.5, spec 03 §14). */
import { gunzipSync } from 'node:zlib';
import * as v from 'valibot';
import type { BuildStatus } from '../api/build.ts';
import { parseJson } from '../text/bounded-json.ts';

const text = v.optional(v.string(), '');

const schema = v.object({
  partial: v.optional(v.boolean(), false),
  buildpackMetadata: v.optional(
    v.nullable(v.array(v.object({ id: text, version: text, homepage: v.optional(v.string()) }))),
  ),
  latestCacheImage: text,
  latestImage: text,
  stackID: text,
  stackRunImage: text,
  lifecycleVersion: text,
});

/** The result of a build; texts may be empty, but the image is named. */
export interface BuildMetadata {
  readonly buildpacks: readonly { readonly id: string; readonly version: string; readonly homepage?: string }[];
  /** With digest. */
  readonly latestImage: string;
  /** With digest; empty without a registry cache. */
  readonly latestCacheImage: string;
  readonly stackId: string;
  /** Repository of the stack's run image, digest of the one really used. */
  readonly stackRunImage: string;
  readonly lifecycleVersion: string;
}

/** What a message says. A long result is left out of it from the end of the list: homepages, buildpacks, all but the image. */
export interface SaidMetadata extends BuildMetadata {
  /** Homepages or the whole list of buildpacks were left out; the labels of `latestImage` have them, and whatever else is empty. */
  readonly isPartial?: true;
}

/** Far above the 4096 characters a message may have when packed; a message is not ours until it was parsed. */
const longestBytes = 1024 * 1024;

const unpacked = (message: string): unknown => {
  try {
    const bytes = gunzipSync(Buffer.from(message.trim(), 'base64'), { maxOutputLength: longestBytes });
    return parseJson(bytes.toString('utf8'), { mostCharacters: longestBytes });
  } catch {
    return undefined;
  }
};

/**
 * The message of the completion step: base64 of gzip of JSON. Undefined when it is none: empty, cut off by the kubelet (which trims
 * each message to 12288 bytes over the number of containers) or not ours. The image then says the same (`metadata-from-image.ts`).
 */
export const parseBuildMetadata = (message: string | undefined): SaidMetadata | undefined => {
  if (message === undefined || message === '') return undefined;
  const parsed = v.safeParse(schema, unpacked(message));
  if (!parsed.success || parsed.output.latestImage === '') return undefined;
  const { buildpackMetadata, stackID, partial, ...rest } = parsed.output;
  return {
    ...rest,
    stackId: stackID,
    ...(buildpackMetadata === undefined || partial ? { isPartial: true } : {}),
    buildpacks: (buildpackMetadata ?? []).map(({ id, version, homepage }) => ({
      id,
      version,
      ...(homepage === undefined || homepage === '' ? {} : { homepage }),
    })),
  };
};

/** The part of the status that says what was built. */
export const builtStatus = (
  metadata: BuildMetadata,
): Pick<BuildStatus, 'buildMetadata' | 'latestImage' | 'latestCacheImage' | 'stack' | 'lifecycleVersion'> => ({
  buildMetadata: [...metadata.buildpacks],
  latestImage: metadata.latestImage,
  ...(metadata.latestCacheImage === '' ? {} : { latestCacheImage: metadata.latestCacheImage }),
  stack: { runImage: metadata.stackRunImage, id: metadata.stackId },
  lifecycleVersion: metadata.lifecycleVersion,
});
