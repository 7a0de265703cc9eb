import * as v from 'valibot';
import { integer, list, object, oneOf, text } from './field.ts';

/** What a condition says about itself. A missing condition reads as Unknown. */
export type ConditionStatus = 'True' | 'False' | 'Unknown';

/** One observation about an object. Source: spec 01 §3.1, §5. */
export const ConditionSchema = object(
  {
    type: text('What is observed, such as Ready or Succeeded.'),
    status: oneOf(['True', 'False', 'Unknown'], 'Whether it holds.'),
    severity: v.optional(text('Empty for an error, Warning or Info; never set by a reconciler.')),
    lastTransitionTime: v.optional(
      v.nullable(
        v.pipe(v.string(), v.metadata({ format: 'date-time' }), v.description('When the status last changed.')),
      ),
    ),
    reason: v.optional(text('One CamelCase word for machines.')),
    message: v.optional(text('One sentence for people.')),
  },
  'One observation about the object.',
);

/** One observation about an object; `lastTransitionTime` (RFC 3339 or null) never counts in comparisons. */
export type Condition = v.InferOutput<typeof ConditionSchema>;

/** The part of a status every kind has. */
export const statusEntries = {
  observedGeneration: v.optional(integer('The metadata.generation this status was made from.')),
  conditions: v.optional(list(ConditionSchema, 'What is known about the object, in a fixed order for each kind.')),
};

/** The part of a status every kind has; all of it is absent on an object nobody reconciled yet. */
export interface ConditionedStatus {
  readonly observedGeneration?: number | undefined;
  readonly conditions?: readonly Condition[] | undefined;
}
