/** Where the build cache is and how each phase is told (spec 03 §7 "Cache selection"). */
import type { VolumeMount } from 'kubernetes-types/core/v1.d.ts';
import type { Build } from '../../api/build.ts';
import { liesWith } from '../../oci/reference.ts';
import { cache, hasCacheVolume } from './volumes.ts';

/** The cache as the three phases that use it see it. */
export interface CacheUse {
  readonly analyze: readonly string[];
  readonly restore: readonly string[];
  readonly export: readonly string[];
  /** On restore and export. */
  readonly mounts: readonly VolumeMount[];
}

/** The tag of a registry cache, empty when there is none. */
export const cacheTag = (build: Build): string => build.spec.cache?.registry?.tag ?? '';

/** A volume goes before an image when both are named; reading from the last build's cache by digest, if it lies there still, writing to the tag. */
export const cacheUse = (build: Build): CacheUse => {
  if (hasCacheVolume(build)) {
    const args = [`-cache-dir=${cache.mountPath}`];
    return { analyze: [], restore: args, export: args, mounts: [cache] };
  }
  const tag = cacheTag(build);
  if (tag === '') return { analyze: [], restore: [], export: [], mounts: [] };
  const last = build.spec.lastBuild?.cache?.image ?? '';
  const read = [`-cache-image=${liesWith(last, tag) ? last : tag}`];
  return { analyze: read, restore: read, export: [`-cache-image=${tag}`], mounts: [] };
};
