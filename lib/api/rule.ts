/**
 * Rules in CEL that the API server applies when an object is written (Kubernetes, "Validation rules"). They stand in the schema beside the field
 * they are about, are no part of its TypeScript type, and hold for v1alpha2 alone: what kpack takes in v1alpha1 it takes unchecked (spec 01 §9.2).
 */
import * as v from 'valibot';

/** How the API server words the error: `Required value`, `Forbidden` or, without, `Invalid value`. */
export type RuleReason = 'FieldValueRequired' | 'FieldValueForbidden';

/** A rule: false refuses the object. The message is kpack's where kpack has one, then what would be right; it has no line breaks. */
export interface Rule {
  /** CEL; `self` is the value, `oldSelf` the stored one (a rule that names it holds for updates alone). */
  readonly rule: string;
  /** What is said, and what is said when `messageExpression` cannot be evaluated. */
  readonly message: string;
  /** CEL that makes the message, for one that shows the value. */
  readonly messageExpression?: string;
  /** The field below this one that is wrong, such as `.kind`. */
  readonly fieldPath?: string;
  readonly reason?: RuleReason;
}

/** The schema with rules, in place of those it had. */
export const ruled = <T extends v.GenericSchema>(schema: T, ...rules: readonly Rule[]) =>
  v.pipe(schema, v.metadata(rules.length === 0 ? {} : { 'x-kubernetes-validations': rules }));

/** A text as CEL writes it. */
export const celText = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

/** What kpack says of a value that it refuses, then what would be right. `value` is CEL for a text. */
export const invalidValue = (value: string, right: string): Pick<Rule, 'message' | 'messageExpression'> => ({
  message: `invalid value: ${right}`,
  messageExpression: `'invalid value: ' + ${value} + ${celText(`: ${right}`)}`,
});

/** What an absent text reads as. */
export const orEmpty = (path: `self.${string}` | `oldSelf.${string}`): string => `(has(${path}) ? ${path} : '')`;

/** What kpack says of a field that is missing or, which is the same to it, empty. */
export const missingField = (field: string): Pick<Rule, 'message' | 'reason'> => ({
  message: `missing field(s): ${field}`,
  reason: 'FieldValueRequired',
});

/** A text that must say something: absent is the schema's to refuse, empty is this rule's. */
export const notEmpty = (field: string): Rule => ({ rule: "self != ''", ...missingField(field) });
