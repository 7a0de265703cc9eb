/** Defaults of each version, which kpack applies after it converted (spec 01 §7.1, §10). */
import type { ImageCacheConfig } from '../api/cache.ts';
import {
  defaultHistoryLimit,
  defaultLifecycle,
  defaultServiceAccount,
  defaultTaggingStrategy,
} from '../api/defaults.ts';
import { type JsonObject, objectIn, present } from './json.ts';

/** The kinds that are another object in v1alpha1. */
export type ConvertedKind = 'Image' | 'Build' | 'Builder';

const or = (value: unknown, fallback: unknown): unknown =>
  value === undefined || value === null || value === '' ? fallback : value;

const imageDefaults = (spec: JsonObject): JsonObject => ({
  ...spec,
  imageTaggingStrategy: or(spec['imageTaggingStrategy'], defaultTaggingStrategy),
  failedBuildHistoryLimit: spec['failedBuildHistoryLimit'] ?? defaultHistoryLimit,
  successBuildHistoryLimit: spec['successBuildHistoryLimit'] ?? defaultHistoryLimit,
});

const withKind = (reference: unknown, kind: string, field: string): JsonObject => {
  const named = objectIn(reference, field) ?? {};
  return { ...named, kind: or(named['kind'], kind) };
};

const stackAndStore = (spec: JsonObject): JsonObject => ({
  ...spec,
  stack: withKind(spec['stack'], 'ClusterStack', 'spec.stack'),
  store: withKind(spec['store'], 'ClusterStore', 'spec.store'),
});

/** Of v1alpha1. */
export const olderDefaults: Readonly<Record<ConvertedKind, (spec: JsonObject) => JsonObject>> = {
  Image: (spec) => ({ ...imageDefaults(spec), serviceAccount: or(spec['serviceAccount'], defaultServiceAccount) }),
  Build: (spec) => ({ ...spec, serviceAccount: or(spec['serviceAccount'], defaultServiceAccount) }),
  Builder: (spec) => ({ ...stackAndStore(spec), serviceAccount: or(spec['serviceAccount'], defaultServiceAccount) }),
};

const builderDefaults = (spec: JsonObject): JsonObject => {
  const lifecycle = withKind(spec['lifecycle'], 'ClusterLifecycle', 'spec.lifecycle');
  const isNamed = or(spec['serviceAccount'], undefined) !== undefined;
  return present({
    ...stackAndStore(spec),
    lifecycle: { ...lifecycle, name: or(lifecycle['name'], defaultLifecycle) },
    serviceAccountName: or(spec['serviceAccountName'], isNamed ? undefined : defaultServiceAccount),
  });
};

/** Of v1alpha2; `cache` is what an Image without one gets, undefined where there is no default StorageClass. */
export const storedDefaults = (
  kind: ConvertedKind,
  spec: JsonObject,
  cache: ImageCacheConfig | undefined,
): JsonObject => {
  if (kind === 'Builder') return builderDefaults(spec);
  const named = { ...spec, serviceAccountName: or(spec['serviceAccountName'], defaultServiceAccount) };
  return kind === 'Build' ? named : present({ ...imageDefaults(named), cache: spec['cache'] ?? cache });
};
