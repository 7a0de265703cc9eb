/** Names of child objects and tags of Builds: the same input always gives the same name (spec 01 §6.1–§6.3). */
import { createHash } from 'node:crypto';
import { parseTag, printRepository } from '../oci/reference.ts';
import type { ImageSpec } from './image.ts';

/** Longest label value, and the longest name a child gets, in bytes. */
const longest = 63;
const md5Length = 32;

/**
 * `parent` followed by `suffix`; when that is longer than 63, the head of the parent, the MD5 of the whole parent and the suffix,
 * exactly 63. Both are Kubernetes names (ASCII), and the suffix is shorter than 31 as all of ours are; a longer one is a bug.
 */
export const childName = (parent: string, suffix: string): string => {
  if (parent.length + suffix.length <= longest) return parent + suffix;
  const head = longest - md5Length - suffix.length;
  if (head <= 0)
    throw new RangeError(`suffix ${suffix} of a child name has ${suffix.length} characters, at most 30 fit`);
  return parent.slice(0, head) + createHash('md5').update(parent).digest('hex') + suffix;
};

/** Name of an Image's Build. */
export const buildName = (image: string, buildNumber: number): string => childName(image, `-build-${buildNumber}`);

/** Name of a Build's pod. */
export const buildPodName = (build: string): string => childName(build, '-build-pod');

/** Name of an Image's SourceResolver. */
export const sourceResolverName = (image: string): string => childName(image, '-source');

/** Name of the claim that holds an Image's cache. */
export const cacheClaimName = (image: string): string => childName(image, '-cache');

/** `YYYYMMDD.HHMMSS` in UTC. kpack uses the controller's local time, which a function does not have. */
const stamp = (now: Date): string =>
  now.toISOString().slice(0, 'YYYY-MM-DDTHH:MM:SS'.length).replaceAll(/[-:]/g, '').replace('T', '.');

/**
 * `REGISTRY/REPOSITORY:[TAG-]bNUMBER.YYYYMMDD.HHMMSS`, registry and repository canonical; the prefix is left out for `latest`.
 * Throws PermanentError when `tag` is not a tag.
 */
export const numberedTag = (tag: string, buildNumber: number, now: Date): string => {
  const parsed = parseTag(tag);
  const prefix = parsed.tag === 'latest' ? '' : `${parsed.tag}-`;
  return `${printRepository(parsed)}:${prefix}b${buildNumber}.${stamp(now)}`;
};

/**
 * Tags of a new Build: the Image's tag verbatim, the numbered tag unless the strategy is exactly `None`, the additional tags.
 * Throws PermanentError when a numbered tag is needed and `tag` is not a tag; kpack makes an empty list there, which the API refuses.
 */
export const buildTags = (
  {
    tag,
    additionalTags = [],
    imageTaggingStrategy,
  }: Pick<ImageSpec, 'tag' | 'additionalTags' | 'imageTaggingStrategy'>,
  buildNumber: number,
  now: Date,
): readonly string[] => [
  tag,
  ...(imageTaggingStrategy === 'None' ? [] : [numberedTag(tag, buildNumber, now)]),
  ...additionalTags,
];
