import { createHash } from 'node:crypto';

/** Longest name of a Kubernetes object that must also be a label value. */
const longest = 63;
const digestLength = 32;

/**
 * `parent` + `suffix`, or with too long a parent its head, the MD5 of the whole of it, and the suffix: 63 characters (spec 01 §6.1).
 * For suffixes shorter than 31 characters, as all of ours are.
 */
const childName = (parent: string, suffix: string): string =>
  parent.length + suffix.length <= longest
    ? parent + suffix
    : parent.slice(0, longest - digestLength - suffix.length) + createHash('md5').update(parent).digest('hex') + suffix;

/** Name of the pod of a Build: deterministic, so that a repeated create meets 409 and never makes a second pod. */
export const buildPodName = (build: string): string => childName(build, '-build-pod');
