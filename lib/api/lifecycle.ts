import * as v from 'valibot';
import { list, object, text } from './field.ts';

const versions = (description: string) => v.optional(v.nullable(list(text('An API version.'), description)));

const apiSet = (description: string) =>
  v.optional(
    object(
      { deprecated: versions('Versions that still work.'), supported: versions('Versions that are supported.') },
      description,
    ),
  );

/** What is known of a lifecycle; also part of builder statuses. Source: spec 01 §3.9. */
export const resolvedLifecycleEntries = {
  image: v.optional(
    object(
      {
        image: v.optional(text('Image reference as given in the spec.')),
        latestImage: v.optional(text('The image with digest.')),
      },
      'The lifecycle image.',
    ),
  ),
  version: v.optional(text('Version of the lifecycle.')),
  api: v.optional(
    object(
      {
        buildpack: v.optional(text('Lowest buildpack API version; superseded by apis.')),
        platform: v.optional(text('Lowest platform API version; superseded by apis.')),
      },
      'API versions in the older form.',
    ),
  ),
  apis: v.optional(
    object(
      { buildpack: apiSet('Buildpack API versions.'), platform: apiSet('Platform API versions.') },
      'API versions the lifecycle speaks.',
    ),
  ),
};

/** `status.lifecycle` of Builder and ClusterBuilder. */
export const ResolvedLifecycleSchema = object(resolvedLifecycleEntries, 'The lifecycle in the builder image.');

/** What is known of a lifecycle: version and the API versions it speaks; lists may be null. `image` stays empty in builders. */
export type ResolvedLifecycle = v.InferOutput<typeof ResolvedLifecycleSchema>;
