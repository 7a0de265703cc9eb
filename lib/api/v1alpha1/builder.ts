import * as v from 'valibot';
import { BuilderEntries, BuilderStatusSchema } from '../builder.ts';
import { list, object, text } from '../field.ts';
import { OrderEntrySchema } from '../order.ts';
import { olderResource } from './resource.ts';

const { tag, stack, store } = BuilderEntries;

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
  // kpack leaves out lifecycle and signaturePaths: they are told, as a status must not come back from where users write.
  status: BuilderStatusSchema,
  description: 'A builder image for the Images of its namespace; v1alpha2 says more.',
});
