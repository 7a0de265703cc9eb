import * as v from 'valibot';
import { BuildpackSourceStatusSchema } from './buildpack.ts';
import { listUpTo, object } from './field.ts';
import { listedImageReference } from './image-name.ts';
import { serviceAccountReference } from './object-reference.ts';
import { resource } from './resource.ts';
import { missingField, ruled } from './rule.ts';

const ClusterStoreSpecSchema = object(
  {
    sources: ruled(
      listUpTo(
        512,
        object({ image: listedImageReference('Buildpackage or builder image.') }, 'An image with buildpacks.'),
        'Images the buildpacks come from.',
      ),
      { rule: 'self.size() > 0', ...missingField('spec.sources') },
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
