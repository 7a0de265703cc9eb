import * as v from 'valibot';
import { object, quantity, text } from '../field.ts';
import { ImageEntries, ImageStatusSchema } from '../image.ts';
import { podEntries } from '../pod-fields.ts';
import { NotaryConfigSchema } from '../signing.ts';
import { olderResource } from './resource.ts';

const { tag, builder, source, failedBuildHistoryLimit, successBuildHistoryLimit, imageTaggingStrategy } = ImageEntries;
const { env, resources, cnbBindings } = podEntries;

/** An Image in v1alpha1; what it has no field for is carried in annotations. Source: spec 01 §4.2. */
export const OlderImageSchema = olderResource('Image', {
  spec: object(
    {
      tag,
      builder,
      source,
      failedBuildHistoryLimit,
      successBuildHistoryLimit,
      imageTaggingStrategy,
      serviceAccount: v.optional(text('ServiceAccount whose credentials the build uses.'), 'default'),
      cacheSize: v.optional(quantity('Size of the volume that keeps layers between builds; none when left out.')),
      build: v.optional(object({ bindings: cnbBindings, env, resources }, 'How the image is built.')),
      notary: v.optional(NotaryConfigSchema),
    },
    'The image that is wanted.',
  ),
  status: ImageStatusSchema,
  description:
    'An app image that is kept up to date with its source, its buildpacks and its stack; v1alpha2 says more.',
});
