import * as v from 'valibot';
import { BuilderStatusSchema, builderEntries, stackRules, storeRules } from './builder.ts';
import { object } from './field.ts';
import { kindAndName, objectReference, serviceAccountReference } from './object-reference.ts';
import { resource } from './resource.ts';

const ClusterBuilderSpecSchema = object(
  {
    ...builderEntries,
    stack: kindAndName('The stack of the builder; unlike in a Builder, the kind must be given.', ...stackRules()),
    store: v.optional(
      objectReference('Where buildpacks named by id come from; the kind must be given with a name.', ...storeRules()),
    ),
    serviceAccountRef: serviceAccountReference('ServiceAccount whose registry credentials and signing keys are used.'),
  },
  'The builder image that is wanted.',
);

/** A builder image for all namespaces. Source: spec 01 §4.8. */
export const ClusterBuilderSchema = resource('ClusterBuilder', {
  spec: ClusterBuilderSpecSchema,
  status: BuilderStatusSchema,
  description: 'A builder image, made from stack, lifecycle and buildpacks, for the Images of all namespaces.',
});

/** A builder image for all namespaces, as the API server returns it after defaults. */
export type ClusterBuilder = v.InferOutput<typeof ClusterBuilderSchema>;
/** What a ClusterBuilder is made of. */
export type ClusterBuilderSpec = v.InferOutput<typeof ClusterBuilderSpecSchema>;
