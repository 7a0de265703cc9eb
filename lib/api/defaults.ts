/**
 * Defaults applied to what was read, before anything looks at it, never written back (spec 02 §2.5). The API server applies the
 * same ones on its own (they are in the schemas); these serve objects that were stored before the schemas were installed, and
 * the rules a schema cannot state.
 */
import type { Build } from './build.ts';
import type { Builder } from './builder.ts';
import type { ImageCacheConfig } from './cache.ts';
import type { Image } from './image.ts';

/** The account of Image, Build, Builder and Buildpack when none is named. */
export const defaultServiceAccount = 'default';
/** The lifecycle of a builder that names none. */
export const defaultLifecycle = 'default-lifecycle';
/** How many Builds of either outcome are kept unless the Image says otherwise. */
export const defaultHistoryLimit = 10;
/** The strategy that adds a numbered tag to each Build. */
export const defaultTaggingStrategy = 'BuildNumber';
/** The cache of an Image that says nothing of one, where a default StorageClass exists (lib/images/default-cache.ts); `cache: {}` is none. */
export const defaultCache: ImageCacheConfig = { volume: { size: '2G' } };

/** As stored, possibly before defaults existed: any field with a default may be missing. */
type Stored<T, K extends PropertyKey> = Omit<T, K> & { readonly [P in K & keyof T]?: T[P] | undefined };

type DefaultedImageField =
  | 'serviceAccountName'
  | 'imageTaggingStrategy'
  | 'failedBuildHistoryLimit'
  | 'successBuildHistoryLimit';

/** An Image as stored. */
export type StoredImage = Omit<Image, 'spec'> & { readonly spec: Stored<Image['spec'], DefaultedImageField> };
/** A Build as stored. */
export type StoredBuild = Omit<Build, 'spec'> & { readonly spec: Stored<Build['spec'], 'serviceAccountName'> };

const named = (name: string | undefined, fallback: string): string =>
  name === undefined || name === '' ? fallback : name;

/** The Image with its defaults; the cache is left as it is. An explicit limit of 0 is kept. */
export const withImageDefaults = (image: StoredImage): Image => ({
  ...image,
  spec: {
    ...image.spec,
    serviceAccountName: named(image.spec.serviceAccountName, defaultServiceAccount),
    imageTaggingStrategy: named(image.spec.imageTaggingStrategy, defaultTaggingStrategy),
    failedBuildHistoryLimit: image.spec.failedBuildHistoryLimit ?? defaultHistoryLimit,
    successBuildHistoryLimit: image.spec.successBuildHistoryLimit ?? defaultHistoryLimit,
  },
});

/** The Build with its defaults. */
export const withBuildDefaults = (build: StoredBuild): Build => ({
  ...build,
  spec: { ...build.spec, serviceAccountName: named(build.spec.serviceAccountName, defaultServiceAccount) },
});

/** The account a Builder works as: its name, else the older alias, else `default` (spec 01 §4.6, §7.1). */
export const builderServiceAccount = ({
  serviceAccountName,
  serviceAccount,
}: Pick<Builder['spec'], 'serviceAccountName' | 'serviceAccount'>): string =>
  named(serviceAccountName, named(serviceAccount, defaultServiceAccount));

/** The lifecycle a builder asks for; an empty or missing name means `default-lifecycle`. */
export const lifecycleNameOf = (spec: {
  readonly lifecycle?: { readonly name?: string | undefined } | undefined;
}): string => named(spec.lifecycle?.name, defaultLifecycle);
