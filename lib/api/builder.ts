import * as v from 'valibot';
import { BuildStackSchema } from './build-stack.ts';
import { BuildpackMetadataSchema } from './buildpacks.ts';
import { statusEntries } from './condition.ts';
import { integer, list, object, text, textMap } from './field.ts';
import { tagName } from './image-name.ts';
import { ResolvedLifecycleSchema } from './lifecycle.ts';
import { impliedReference, nameWithKind, optionalNameWithKind } from './object-reference.ts';
import {
  BuilderExtensionOrderEntrySchema,
  BuilderOrderEntrySchema,
  ExtensionOrderEntrySchema,
  OrderEntrySchema,
  orderOf,
} from './order.ts';
import { resource } from './resource.ts';
import { invalidValue, missingField, orEmpty, type Rule } from './rule.ts';
import { CosignSignatureSchema } from './signing.ts';

/** A stack has a name; `also` is a kind that passes beside ClusterStack. */
export const stackRules = (...also: readonly ''[]): readonly Rule[] => [
  { rule: "self.name != ''", fieldPath: '.name', ...missingField('spec.stack.name') },
  {
    rule: `${orEmpty('self.kind')} in ${JSON.stringify(['ClusterStack', ...also]).replaceAll('"', "'")}`,
    fieldPath: '.kind',
    ...invalidValue(orEmpty('self.kind'), 'must be ClusterStack'),
  },
];

/** A store is left out, or its kind is right; without a name it is none (spec 01 §7.6). */
export const storeRules = (...also: readonly ''[]): readonly Rule[] => [
  {
    rule: `(${orEmpty('self.kind')} == '' && ${orEmpty('self.name')} == '') || ${orEmpty('self.kind')} in ${JSON.stringify(['ClusterStore', ...also]).replaceAll('"', "'")}`,
    fieldPath: '.kind',
    ...invalidValue(orEmpty('self.kind'), 'must be one of ClusterStore'),
  },
];

/** Spec fields that Builder and ClusterBuilder share. */
export const builderEntries = {
  tag: tagName('spec.tag', 'Where the builder image is pushed; may change.'),
  lifecycle: v.optional(
    impliedReference('ClusterLifecycle', 'default-lifecycle', 'The lifecycle in the builder image.'),
    {},
  ),
  order: v.optional(orderOf(BuilderOrderEntrySchema, 'Groups of buildpacks in the order they are tried.')),
  orderExtensions: v.optional(
    orderOf(
      BuilderExtensionOrderEntrySchema,
      'Groups of image extensions, tried with every group of order. Builds then run steps as root.',
    ),
  ),
  additionalLabels: v.optional(textMap('More labels of the builder image.')),
};

/** Fields of the spec of a Builder. */
export const BuilderEntries = {
  ...builderEntries,
  stack: nameWithKind('ClusterStack', 'The stack of the builder.', ...stackRules('')),
  store: v.optional(
    optionalNameWithKind('ClusterStore', 'Where buildpacks named by id come from.', ...storeRules('')),
    {},
  ),
  serviceAccountName: v.optional(text('ServiceAccount whose registry credentials and signing keys are used.')),
  serviceAccount: v.optional(text('Older name of serviceAccountName; used only when that is empty.')),
};

const BuilderSpecSchema = object(BuilderEntries, 'The builder image that is wanted.');

/** Status of Builder and ClusterBuilder alike, and of a Builder in both versions. */
export const BuilderStatusSchema = object(
  {
    ...statusEntries,
    builderMetadata: v.optional(
      list(BuildpackMetadataSchema, 'Buildpacks in the builder image, then its image extensions.'),
    ),
    order: v.optional(list(OrderEntrySchema, 'The order with every version filled in.')),
    orderExtensions: v.optional(
      list(ExtensionOrderEntrySchema, 'The order of image extensions with every version filled in.'),
    ),
    stack: v.optional(BuildStackSchema),
    lifecycle: v.optional(ResolvedLifecycleSchema),
    latestImage: v.optional(text('The builder image with digest.')),
    observedStackGeneration: v.optional(integer('status.observedGeneration of the stack it was made with.')),
    observedStoreGeneration: v.optional(
      integer('status.observedGeneration of the store it was made with; 0 without one.'),
    ),
    os: v.optional(text('Operating system of the builder image.')),
    signaturePaths: v.optional(list(CosignSignatureSchema, 'Signatures of the builder image.')),
  },
  'State of the builder image; keeps the last good values on failure.',
);

/** A builder image for one namespace. Source: spec 01 §4.6. */
export const BuilderSchema = resource('Builder', {
  spec: BuilderSpecSchema,
  status: BuilderStatusSchema,
  description: 'A builder image, made from stack, lifecycle and buildpacks, for the Images of its namespace.',
});

/** A builder image for one namespace, as the API server returns it after defaults. */
export type Builder = v.InferOutput<typeof BuilderSchema>;
/** What a Builder is made of. */
export type BuilderSpec = v.InferOutput<typeof BuilderSpecSchema>;
/** State of a Builder or ClusterBuilder. */
export type BuilderStatus = v.InferOutput<typeof BuilderStatusSchema>;
