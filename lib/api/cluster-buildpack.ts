import * as v from 'valibot';
import { BuildpackSourceStatusSchema } from './buildpack.ts';
import { object } from './field.ts';
import { imageReference } from './image-name.ts';
import { serviceAccountReference } from './object-reference.ts';
import { resource } from './resource.ts';

const ClusterBuildpackSpecSchema = object(
  {
    image: imageReference('spec.image', 'Buildpackage image.'),
    serviceAccountRef: v.optional(serviceAccountReference('ServiceAccount whose registry credentials are used.')),
  },
  'The buildpackage.',
);

/** A buildpackage for all builders. Source: spec 01 §4.9. */
export const ClusterBuildpackSchema = resource('ClusterBuildpack', {
  spec: ClusterBuildpackSpecSchema,
  status: BuildpackSourceStatusSchema,
  description: 'A buildpackage for all builders.',
});

/** A buildpackage for all builders. */
export type ClusterBuildpack = v.InferOutput<typeof ClusterBuildpackSchema>;
/** The buildpackage image and, if needed, the account that reads it. */
export type ClusterBuildpackSpec = v.InferOutput<typeof ClusterBuildpackSpecSchema>;
