import * as v from 'valibot';
import { BuilderEntries, BuilderStatusEntries } from '../builder.ts';
import { list, object, text } from '../field.ts';
import { OrderEntrySchema } from '../order.ts';
import { olderResource } from './resource.ts';

const { tag, stack, store } = BuilderEntries;
const { lifecycle, signaturePaths, orderExtensions, ...status } = BuilderStatusEntries;

/** A Builder in v1alpha1; what it has no field for is carried in an annotation. Source: spec 01 §4.7. */
export const OlderBuilderSchema = olderResource('Builder', {
  spec: object(
    {
      tag,
      stack,
      store,
      order: v.optional(list(OrderEntrySchema, 'Groups of buildpacks in the order they are tried.')),
      serviceAccount: v.optional(
        text('ServiceAccount whose registry credentials and signing keys are used.'),
        'default',
      ),
    },
    'The builder image that is wanted.',
  ),
  status: object(status, 'State of the builder image; keeps the last good values on failure.'),
  description: 'A builder image for the Images of its namespace; v1alpha2 says more.',
});

/** A Builder in v1alpha1. */
export type OlderBuilder = v.InferOutput<typeof OlderBuilderSchema>;
