import type { ContainerState } from 'kubernetes-types/core/v1.d.ts';
import * as v from 'valibot';
import { BuildStackSchema } from './build-stack.ts';
import { BuildpackMetadataSchema } from './buildpacks.ts';
import { BuildCacheConfigSchema } from './cache.ts';
import { statusEntries } from './condition.ts';
import { coreObject, integer, list, listUpTo, object, text } from './field.ts';
import { listedTagName, optionalImageReference } from './image-name.ts';
import { kindAndName, secretName } from './object-reference.ts';
import { podEntries } from './pod-fields.ts';
import { resource } from './resource.ts';
import { missingField, orEmpty, type Rule, ruled } from './rule.ts';
import { CosignConfigSchema, NotaryConfigSchema } from './signing.ts';
import { SourceConfigSchema } from './source-config.ts';

const image = orEmpty('self.image');

const oneBuilder: readonly Rule[] = [
  { rule: `${image} != '' || has(self.ref)`, ...missingField('spec.builder.image, spec.builder.ref') },
  {
    rule: `${image} == '' || !has(self.ref)`,
    message: 'expected exactly one, got both: spec.builder.image, spec.builder.ref',
  },
];

const BuildBuilderSpecSchema = ruled(
  object(
    {
      image: v.optional(optionalImageReference('Builder image.')),
      imagePullSecrets: v.optional(list(secretName('A pull secret.'), 'Credentials to pull the builder image.')),
      ref: v.optional(
        kindAndName(
          'A ClusterBuilder, or a Builder in the namespace given here.',
          { rule: "self.name != ''", fieldPath: '.name', ...missingField('spec.builder.ref.name') },
          { rule: "self.kind != ''", fieldPath: '.kind', ...missingField('spec.builder.ref.kind') },
        ),
      ),
    },
    'The builder: exactly one of image and ref.',
  ),
  ...oneBuilder,
);

const LastBuildSchema = object(
  {
    image: v.optional(optionalImageReference('Image of the last build, with digest.')),
    cache: v.optional(object({ image: v.optional(text('Cache image, with digest.')) }, 'Cache of the last build.')),
    stackId: v.optional(text('Stack id of the last build.')),
  },
  'The build this one follows.',
);

/** Fields of the spec. */
export const BuildEntries = {
  ...podEntries,
  tags: ruled(listUpTo(256, listedTagName('A tag.'), 'Tags to push; the first is the tag of the image.'), {
    rule: 'self.size() > 0',
    ...missingField('spec.tags'),
  }),
  builder: BuildBuilderSpecSchema,
  serviceAccountName: v.optional(text('ServiceAccount whose credentials the build uses.'), 'default'),
  source: SourceConfigSchema,
  cache: v.optional(BuildCacheConfigSchema),
  runImage: v.optional(
    object({ image: v.optional(text('Run image.')) }, 'Run image in place of the one the builder names.'),
  ),
  activeDeadlineSeconds: v.optional(integer('Seconds the build may take.')),
  projectDescriptorPath: v.optional(text('Path of project.toml in the source.')),
  defaultProcess: v.optional(text('Process the image starts by default.')),
  priorityClassName: v.optional(text('Priority class of the build pod.')),
  lastBuild: v.optional(LastBuildSchema),
  notary: v.optional(NotaryConfigSchema),
  cosign: v.optional(CosignConfigSchema),
};

/** A spec says what was asked for once and is never asked for again. Where this was got around the reconciler notices (docs/decisions/0006-whose-pod.md). */
const BuildSpecSchema = ruled(object(BuildEntries, 'The build that is wanted; cannot be changed.'), {
  rule: 'self == oldSelf',
  message: 'Immutable fields changed: spec cannot be changed: make another Build',
});

/** State of a Build; the same in both versions. */
export const BuildStatusSchema = object(
  {
    ...statusEntries,
    buildMetadata: v.optional(list(BuildpackMetadataSchema, 'Buildpacks that took part.')),
    stack: v.optional(BuildStackSchema),
    lifecycleVersion: v.optional(text('Version of the lifecycle that built the image.')),
    latestImage: v.optional(text('The image, with digest.')),
    latestCacheImage: v.optional(text('The cache image, with digest.')),
    latestAttestationImage: v.optional(text('The attestation image, with digest.')),
    podName: v.optional(text('Name of the build pod.')),
    stepStates: v.optional(
      list(coreObject<ContainerState>('State of a step’s container.'), 'State of every step that has one.'),
    ),
    stepsCompleted: v.optional(list(text('Name of a step.'), 'Steps that ended without error.')),
  },
  'State of the build.',
);

/** One run of the buildpacks over one source. Source: spec 01 §4.3. */
export const BuildSchema = resource('Build', {
  spec: BuildSpecSchema,
  status: BuildStatusSchema,
  description: 'One run of the buildpacks over one source.',
});

/** One run of the buildpacks, as the API server returns it after defaults. */
export type Build = v.InferOutput<typeof BuildSchema>;
/** What is built; immutable. */
export type BuildSpec = v.InferOutput<typeof BuildSpecSchema>;
/** The builder of a Build: an image, or a reference resolved when the pod is made. */
export type BuildBuilderSpec = v.InferOutput<typeof BuildBuilderSpecSchema>;
/** The build that a Build follows. */
export type LastBuild = v.InferOutput<typeof LastBuildSchema>;
/** State of a Build; frozen once Succeeded is True or False. */
export type BuildStatus = v.InferOutput<typeof BuildStatusSchema>;
