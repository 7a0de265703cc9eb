import * as v from 'valibot';
import { object, text } from './field.ts';

/** The stack of a builder or of a build. Source: spec 01 §3.4. */
export const BuildStackSchema = object(
  {
    runImage: v.optional(text('Run image with digest.')),
    id: v.optional(text('Id of the stack.')),
  },
  'The stack.',
);

/** Run image and stack id of a builder or a build. */
export type BuildStack = v.InferOutput<typeof BuildStackSchema>;
