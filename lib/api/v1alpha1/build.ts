import * as v from 'valibot';
import { BuildEntries, BuildStatusSchema } from '../build.ts';
import { object, text } from '../field.ts';
import { podEntries } from '../pod-fields.ts';
import { NotaryConfigSchema } from '../signing.ts';
import { olderResource } from './resource.ts';

const { tags, builder, source } = BuildEntries;
const { env, resources, cnbBindings } = podEntries;

/** A Build in v1alpha1; what it has no field for is carried in an annotation. Source: spec 01 §4.4. */
export const OlderBuildSchema = olderResource('Build', {
  spec: object(
    {
      tags,
      builder,
      source,
      env,
      resources,
      bindings: cnbBindings,
      serviceAccount: v.optional(text('ServiceAccount whose credentials the build uses.'), 'default'),
      cacheName: v.optional(text('Name of the claim that holds the cache.')),
      lastBuild: v.optional(
        object(
          {
            image: v.optional(text('Image of the last build, with digest.')),
            stackId: v.optional(text('Stack id of the last build.')),
          },
          'The build this one follows.',
        ),
      ),
      notary: v.optional(NotaryConfigSchema),
    },
    'The build that is wanted.',
  ),
  // kpack leaves out lifecycleVersion and two images: they are told, as a status must not come back from where users write.
  status: BuildStatusSchema,
  description: 'One run of the buildpacks over one source; v1alpha2 says more.',
});
