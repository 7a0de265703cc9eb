import * as v from 'valibot';
import { ImageCacheConfigSchema } from './cache.ts';
import { statusEntries } from './condition.ts';
import { integer, integerFrom, listUpTo, object, text } from './field.ts';
import { isTagIn, listedTagName, registryIn, tagName } from './image-name.ts';
import { kindAndName } from './object-reference.ts';
import { creationTime, podEntries } from './pod-fields.ts';
import { resource } from './resource.ts';
import { invalidValue, missingField, type Rule, ruled } from './rule.ts';
import { ImageCosignConfigSchema, NotaryConfigSchema } from './signing.ts';
import { SourceConfigSchema } from './source-config.ts';

const ImageBuildSchema = object(
  {
    ...podEntries,
    creationTime: v.optional(ruled(v.unwrap(podEntries.creationTime), creationTime)),
    buildTimeout: v.optional(integer('Seconds a build may take.')),
  },
  'How the image is built.',
);

/** The tag is where an Image's name in a registry is: another one is another Image. */
const sameTag: Rule = {
  rule: 'self == oldSelf',
  message: 'Immutable field changed: make another Image for another tag',
  messageExpression:
    "'Immutable field changed: got: ' + self + ', want: ' + oldSelf + ': make another Image for another tag'",
};

const builderRules: readonly Rule[] = [
  { rule: "self.name != ''", fieldPath: '.name', ...missingField('spec.builder.name') },
  {
    rule: "self.kind in ['Builder', 'ClusterBuilder']",
    fieldPath: '.kind',
    ...invalidValue('self.kind', 'must be Builder or ClusterBuilder'),
  },
];

/** One pair of credentials and one place serve all tags of an image. What is no tag at all is said elsewhere. */
const another = `${registryIn('tag')} != ${registryIn('self.tag')}`;
const oneRegistry: Rule = {
  rule: `!has(self.additionalTags) || !${isTagIn('self.tag')} || !self.additionalTags.exists(tag, ${isTagIn('tag')} && ${another})`,
  fieldPath: '.additionalTags',
  message: 'all additionalTags must have the same registry as tag',
  messageExpression: `'all additionalTags must have the same registry as tag: expected registry: ' + ${registryIn('self.tag')} + ', got: ' + ${registryIn(`self.additionalTags.filter(tag, ${another})[0]`)}`,
};

const atLeastOne = 'build history limit must be greater than 0';

/** Fields of the spec. */
export const ImageEntries = {
  tag: tagName('spec.tag', 'Where the image is pushed; cannot be changed.', sameTag),
  additionalTags: v.optional(listUpTo(100, listedTagName('A tag.'), 'More tags to push, in the registry of tag.')),
  builder: kindAndName('The Builder (of this namespace) or ClusterBuilder that builds the image.', ...builderRules),
  serviceAccountName: v.optional(text('ServiceAccount whose credentials the build uses.'), 'default'),
  source: SourceConfigSchema,
  cache: v.optional(ImageCacheConfigSchema),
  failedBuildHistoryLimit: v.optional(integerFrom(1, atLeastOne, 'How many failed Builds are kept.'), 10),
  successBuildHistoryLimit: v.optional(integerFrom(1, atLeastOne, 'How many successful Builds are kept.'), 10),
  imageTaggingStrategy: v.optional(
    text('BuildNumber adds a numbered tag to every build, None does not.'),
    'BuildNumber',
  ),
  projectDescriptorPath: v.optional(text('Path of project.toml in the source.')),
  build: v.optional(ImageBuildSchema),
  notary: v.optional(NotaryConfigSchema),
  cosign: v.optional(ImageCosignConfigSchema),
  defaultProcess: v.optional(text('Process the image starts by default.')),
};

const ImageSpecSchema = ruled(object(ImageEntries, 'The image that is wanted.'), oneRegistry);

/** Builds carry the name as a label. */
const nameIsLabel: Rule = {
  rule: 'self.metadata.name.size() <= 63',
  message: 'metadata.name: name must be a valid label: must be no more than 63 characters',
  messageExpression:
    "'invalid image name: ' + self.metadata.name + ', name must be a valid label: metadata.name must be no more than 63 characters'",
};

/** State of an Image; the same in both versions. */
export const ImageStatusSchema = object(
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
  rules: [nameIsLabel],
});

/** An app image, as the API server returns it after defaults. */
export type Image = v.InferOutput<typeof ImageSchema>;
/** What is wanted of an Image. */
export type ImageSpec = v.InferOutput<typeof ImageSpecSchema>;
/** How an Image is built. */
export type ImageBuild = v.InferOutput<typeof ImageBuildSchema>;
/** State of an Image. */
export type ImageStatus = v.InferOutput<typeof ImageStatusSchema>;
