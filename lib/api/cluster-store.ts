import * as v from 'valibot';
import { BuildpackSourceStatusSchema } from './buildpack.ts';
import { object, text } from './field.ts';
import { serviceAccountReference } from './object-reference.ts';
import { resource } from './resource.ts';

const ClusterStoreSpecSchema = object(
  {
    sources: v.pipe(
      v.array(object({ image: text('Buildpackage or builder image.') }, 'An image with buildpacks.')),
      v.minLength(1),
      v.readonly(),
      v.description('Images the buildpacks come from.'),
    ),
    serviceAccountRef: v.optional(serviceAccountReference('ServiceAccount whose registry credentials are used.')),
  },
  'Where the buildpacks come from.',
);

/** Buildpacks that builders choose from by id. Source: spec 01 §4.9. */
export const ClusterStoreSchema = resource('ClusterStore', {
  spec: ClusterStoreSpecSchema,
  status: BuildpackSourceStatusSchema,
  description: 'Buildpacks that builders choose from by id.',
});

/** Buildpacks that builders choose from by id. */
export type ClusterStore = v.InferOutput<typeof ClusterStoreSchema>;
/** The images of a ClusterStore. */
export type ClusterStoreSpec = v.InferOutput<typeof ClusterStoreSpecSchema>;
