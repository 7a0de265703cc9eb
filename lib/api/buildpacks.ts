import * as v from 'valibot';
import { integer, list, object, text } from './field.ts';
import { OrderEntrySchema } from './order.ts';

const homepage = v.optional(text('Home page of the buildpack.'));

/** A buildpack that took part. Source: spec 01 §3.4. */
export const BuildpackMetadataSchema = object(
  { id: text('Id of the buildpack.'), version: v.optional(text('Version of the buildpack.'), ''), homepage },
  'A buildpack; two are the same when id and version are.',
);

/** A buildpack found in a buildpackage image. Source: spec 01 §3.4. */
export const BuildpackStatusSchema = object(
  {
    id: text('Id of the buildpack.'),
    version: v.optional(text('Version of the buildpack.')),
    homepage,
    api: v.optional(text('Buildpack API version it speaks.')),
    buildpackage: v.optional(
      object(
        {
          id: v.optional(text('Id of the buildpackage.')),
          version: v.optional(text('Version of the buildpackage.')),
          homepage: v.optional(text('Home page of the buildpackage.')),
        },
        'The buildpackage it came in.',
      ),
    ),
    storeImage: v.optional(
      object({ image: v.optional(text('Image reference as given in the spec.')) }, 'The image it was read from.'),
    ),
    diffId: v.optional(text('Digest of its uncompressed layer.')),
    digest: v.optional(text('Digest of its layer.')),
    size: v.optional(integer('Size of its layer in bytes.')),
    order: v.optional(list(OrderEntrySchema, 'The order of a composite buildpack.')),
    stacks: v.optional(
      list(
        object(
          {
            id: text('Id of the stack, or * for any.'),
            mixins: v.optional(list(text('A mixin.'), 'Mixins it needs.')),
          },
          'A stack it runs on.',
        ),
        'Stacks it runs on.',
      ),
    ),
  },
  'A buildpack that can be used.',
);

/** `status.buildpacks` of every kind that offers buildpacks: sorted by `id@version`, then by store image. */
export const BuildpacksSchema = list(BuildpackStatusSchema, 'Buildpacks found, sorted by id and version.');

/** An image extension found in an extension package. Beyond kpack. */
export const ExtensionStatusSchema = object(
  {
    id: text('Id of the extension.'),
    version: v.optional(text('Version of the extension.')),
    homepage: v.optional(text('Home page of the extension.')),
    api: v.optional(text('Buildpack API version it speaks.')),
    storeImage: v.optional(
      object({ image: v.optional(text('Image reference as given in the spec.')) }, 'The image it was read from.'),
    ),
    diffId: v.optional(text('Digest of its uncompressed layer.')),
    digest: v.optional(text('Digest of its layer.')),
    size: v.optional(integer('Size of its layer in bytes.')),
  },
  'An image extension that can be used.',
);

/** A buildpack that took part in a build or is part of a builder. */
export type BuildpackMetadata = v.InferOutput<typeof BuildpackMetadataSchema>;
/** A buildpack that a store or (Cluster)Buildpack offers. */
export type BuildpackStatus = v.InferOutput<typeof BuildpackStatusSchema>;
/** A stack a buildpack runs on, with the mixins it needs there. */
export type BuildpackStack = NonNullable<BuildpackStatus['stacks']>[number];
/** The package a buildpack came in. */
export type BuildpackageInfo = NonNullable<BuildpackStatus['buildpackage']>;
/** An image extension that a store or (Cluster)Buildpack offers. */
export type ExtensionStatus = v.InferOutput<typeof ExtensionStatusSchema>;
