/**
 * The few building blocks every kind's schema is made of. One valibot schema per kind says everything: the TypeScript type, the
 * defaults and, through infra/crds, the structural schema and the text of `kubectl explain` (DESIGN §3.12).
 */
import * as v from 'valibot';
import { celText, invalidValue, notEmpty, type Rule, ruled } from './rule.ts';
import { fits, type Structure } from './structure.ts';

/** A string. */
export const text = (description: string) => v.pipe(v.string(), v.description(description));

/** A string of at most so many characters, as rules about it must have (the API server counts what a rule may cost). */
export const textUpTo = (longest: number, description: string) =>
  v.pipe(v.string(), v.maxLength(longest), v.description(description));

/** A text that must not be empty; `field` is its path below the kind, for the message. */
export const filled = (longest: number, field: string, description: string) =>
  ruled(textUpTo(longest, description), notEmpty(field));

/** The longest name that Kubernetes gives to an object. */
export const longestName = 253;

/** A boolean. */
export const flag = (description: string) => v.pipe(v.boolean(), v.description(description));

/** A whole number, int64 on the wire. */
export const integer = (description: string) =>
  v.pipe(v.number(), v.integer(), v.metadata({ format: 'int64' }), v.description(description));

/** A whole number of at least `least`, int64 on the wire. The API server shows the value; `message` is what kpack says of it. */
export const integerFrom = (least: number, message: string, description: string) =>
  v.pipe(
    v.number(),
    v.integer(),
    v.minValue(least),
    v.metadata({
      format: 'int64',
      'x-kubernetes-validations': [{ rule: `self >= ${least}`, message } satisfies Rule],
    }),
    v.description(description),
  );

/**
 * One of a closed set of strings, said by a rule: an `enum` would keep the API server from looking at any other rule, so that a user heard of one
 * mistake at a time.
 */
export const chosen = <const T extends string>(values: readonly T[], right: string, description: string) =>
  v.pipe(
    v.custom<T>((input) => (values as readonly unknown[]).includes(input)),
    v.metadata({
      type: 'string',
      maxLength: longestName,
      'x-kubernetes-validations': [
        { rule: `self in [${values.map(celText).join(', ')}]`, ...invalidValue('self', right) } satisfies Rule,
      ],
    }),
    v.description(description),
  );

/** One of a closed set of strings. */
export const oneOf = <const T extends readonly string[]>(values: T, description: string) =>
  v.pipe(v.picklist(values), v.description(description));

/** An object with known fields; unknown ones are dropped on parsing, as the API server prunes them. */
export const object = <const T extends v.ObjectEntries>(entries: T, description: string) =>
  v.pipe(v.object(entries), v.readonly(), v.description(description));

/** A list of one type. Lists are atomic for server-side apply, as in kpack's own schema-less definitions. */
export const list = <T extends v.GenericSchema>(item: T, description: string) =>
  v.pipe(v.array(item), v.readonly(), v.description(description));

/** A list of at most `most`, as a list whose items have rules must be. */
export const listUpTo = <T extends v.GenericSchema>(most: number, item: T, description: string) =>
  v.pipe(v.array(item), v.maxLength(most), v.readonly(), v.description(description));

/** Text by text, such as labels. */
export const textMap = (description: string) =>
  v.pipe(v.record(v.string(), v.string()), v.readonly(), v.description(description));

/** A Kubernetes quantity as it arrives: `2G`, `500m` or a bare number. Compare by value, never as text. */
export type Quantity = string | number;

/** The grammar of quantities (Kubernetes API reference, "Quantity"). */
const quantityText = /^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]+)?$/;

const isWholeQuantity = (input: unknown): boolean =>
  typeof input === 'string' ? quantityText.test(input) : Number.isInteger(input);

/** A quantity: text or a whole number, which is what Kubernetes' int-or-string knows; rules can compare it. */
export const quantity = (description: string, ...rules: readonly Rule[]) =>
  v.pipe(
    v.custom<Quantity>(isWholeQuantity),
    v.metadata({
      'x-kubernetes-int-or-string': true,
      maxLength: 64,
      'x-kubernetes-validations': [
        {
          rule: 'isQuantity(string(self))',
          ...invalidValue('string(self)', 'must be a number with a unit such as 2G, 2Gi or 500Mi'),
        } satisfies Rule,
        ...rules,
      ],
    }),
    v.description(description),
  );

const isAnyQuantity = (input: unknown): boolean =>
  typeof input === 'string' ? quantityText.test(input) : typeof input === 'number' && Number.isFinite(input);

/**
 * A quantity that may be a fraction without quotes (`cpu: 0.5`), as Kubernetes' own types take it and kpack with them. A schema has no word for
 * "number or string": what it can say of a value of any type is that it is no list, no map and no truth value.
 */
export const amount = (description: string) =>
  v.pipe(
    v.custom<Quantity>(isAnyQuantity),
    v.metadata({
      'x-kubernetes-preserve-unknown-fields': true,
      pattern: quantityText.source,
      minItems: 1,
      maxItems: 0,
      minProperties: 1,
      maxProperties: 0,
      not: { enum: [true, false] },
    }),
    v.description(description),
  );

const isObject = (input: unknown): boolean => typeof input === 'object' && input !== null && !Array.isArray(input);

/**
 * An object that Kubernetes itself defines and we only hand on (affinity, container states …): typed here, but not repeated
 * field by field. `T` is the core type; the API server keeps whatever is inside and checks it when a Pod is made from it.
 */
export const coreObject = <T extends object>(description: string) =>
  v.pipe(
    v.custom<T>(isObject),
    v.metadata({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true }),
    v.description(description),
  );

/** As {@link coreObject}, with the structural schema of its fields spelled out where users write it by hand. */
export const coreObjectOf = <T extends object>(
  structure: { readonly properties: Readonly<Record<string, Structure>> },
  description: string,
) =>
  v.pipe(
    v.custom<T>((input) => fits({ type: 'object', ...structure }, input)),
    v.metadata({ type: 'object', ...structure }),
    v.description(description),
  );

/** The same schema under another description: what a field means where it is used. */
export const described = <T extends v.GenericSchema>(schema: T, description: string) =>
  v.pipe(schema, v.description(description));
