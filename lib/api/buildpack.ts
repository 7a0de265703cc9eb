import * as v from 'valibot';
import { BuildpacksSchema, ExtensionStatusSchema } from './buildpacks.ts';
import { statusEntries } from './condition.ts';
import { list, object, text } from './field.ts';
import { imageReference } from './image-name.ts';
import { resource } from './resource.ts';

const BuildpackSpecSchema = object(
  {
    image: imageReference('spec.image', 'Buildpackage image.'),
    serviceAccountName: v.optional(text('ServiceAccount whose registry credentials are used.'), 'default'),
  },
  'The buildpackage.',
);

/** Status of Buildpack, ClusterBuildpack and ClusterStore alike. */
export const BuildpackSourceStatusSchema = object(
  {
    ...statusEntries,
    buildpacks: v.optional(BuildpacksSchema),
    extensions: v.optional(list(ExtensionStatusSchema, 'Image extensions found, sorted by id and version.')),
  },
  'Buildpacks and image extensions that were found.',
);

/** A buildpackage for the builders of one namespace. Source: spec 01 §4.9. */
export const BuildpackSchema = resource('Buildpack', {
  spec: BuildpackSpecSchema,
  status: BuildpackSourceStatusSchema,
  description: 'A buildpackage for the Builders of its namespace.',
});

/** A buildpackage for the builders of one namespace. */
export type Buildpack = v.InferOutput<typeof BuildpackSchema>;
/** The buildpackage image and the account that reads it. */
export type BuildpackSpec = v.InferOutput<typeof BuildpackSpecSchema>;
/** What Buildpack, ClusterBuildpack and ClusterStore report: the buildpacks they offer. */
export type BuildpackSourceStatus = v.InferOutput<typeof BuildpackSourceStatusSchema>;
