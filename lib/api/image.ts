import * as v from 'valibot';
import { ImageCacheConfigSchema } from './cache.ts';
import { statusEntries } from './condition.ts';
import { integer, integerFrom, list, object, text } from './field.ts';
import { kindAndName } from './object-reference.ts';
import { podEntries } from './pod-fields.ts';
import { resource } from './resource.ts';
import { CosignConfigSchema, NotaryConfigSchema } from './signing.ts';
import { SourceConfigSchema } from './source-config.ts';

const ImageBuildSchema = object(
  { ...podEntries, buildTimeout: v.optional(integer('Seconds a build may take.')) },
  'How the image is built.',
);

const ImageSpecSchema = object(
  {
    tag: text('Where the image is pushed; cannot be changed.'),
    additionalTags: v.optional(list(text('A tag.'), 'More tags to push, in the registry of tag.')),
    builder: kindAndName('The Builder (of this namespace) or ClusterBuilder that builds the image.'),
    serviceAccountName: v.optional(text('ServiceAccount whose credentials the build uses.'), 'default'),
    source: SourceConfigSchema,
    cache: v.optional(ImageCacheConfigSchema),
    failedBuildHistoryLimit: v.optional(integerFrom(1, 'How many failed Builds are kept.'), 10),
    successBuildHistoryLimit: v.optional(integerFrom(1, 'How many successful Builds are kept.'), 10),
    imageTaggingStrategy: v.optional(
      text('BuildNumber adds a numbered tag to every build, None does not.'),
      'BuildNumber',
    ),
    projectDescriptorPath: v.optional(text('Path of project.toml in the source.')),
    build: v.optional(ImageBuildSchema),
    notary: v.optional(NotaryConfigSchema),
    cosign: v.optional(CosignConfigSchema),
    defaultProcess: v.optional(text('Process the image starts by default.')),
  },
  'The image that is wanted.',
);

const ImageStatusSchema = object(
  {
    ...statusEntries,
    latestBuildRef: v.optional(text('Name of the latest Build.')),
    latestBuildImageGeneration: v.optional(integer('Generation of the Image the latest Build was made from.')),
    latestBuildReason: v.optional(text('Why the latest Build was made.')),
    latestImage: v.optional(text('The image built last, with digest.')),
    latestStack: v.optional(text('Stack id of the latest Build, if it succeeded.')),
    buildCounter: v.optional(integer('Number of the latest Build.')),
    buildCacheName: v.optional(text('Name of the claim that holds the cache.')),
  },
  'State of the image.',
);

/** An app image that is kept up to date with its source, buildpacks and stack. Source: spec 01 §4.1. */
export const ImageSchema = resource('Image', {
  spec: ImageSpecSchema,
  status: ImageStatusSchema,
  description: 'An app image that is kept up to date with its source, its buildpacks and its stack.',
});

/** An app image, as the API server returns it after defaults. */
export type Image = v.InferOutput<typeof ImageSchema>;
/** What is wanted of an Image. */
export type ImageSpec = v.InferOutput<typeof ImageSpecSchema>;
/** How an Image is built. */
export type ImageBuild = v.InferOutput<typeof ImageBuildSchema>;
/** State of an Image. */
export type ImageStatus = v.InferOutput<typeof ImageStatusSchema>;
