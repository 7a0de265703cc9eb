import * as v from 'valibot';
import { statusEntries } from './condition.ts';
import { object, text } from './field.ts';
import { resource } from './resource.ts';
import { ResolvedSourceConfigSchema, SourceConfigSchema } from './source-config.ts';

const SourceResolverSpecSchema = object(
  {
    serviceAccount: v.optional(text('ServiceAccount whose git credentials are used.')),
    source: SourceConfigSchema,
  },
  'The source that is followed.',
);

const SourceResolverStatusSchema = object(
  { ...statusEntries, source: v.optional(ResolvedSourceConfigSchema) },
  'State of the source.',
);

/** Follows the source of an Image. Its account is `serviceAccount`, in both API versions. Source: spec 01 §4.5. */
export const SourceResolverSchema = resource('SourceResolver', {
  spec: SourceResolverSpecSchema,
  status: SourceResolverStatusSchema,
  description: 'Follows the source of an Image to its newest revision.',
});

/** Follows the source of an Image, as the API server returns it. */
export type SourceResolver = v.InferOutput<typeof SourceResolverSchema>;
/** The source that is followed. */
export type SourceResolverSpec = v.InferOutput<typeof SourceResolverSpecSchema>;
/** What the source resolved to. */
export type SourceResolverStatus = v.InferOutput<typeof SourceResolverStatusSchema>;
