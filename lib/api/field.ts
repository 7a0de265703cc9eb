/**
 * The few building blocks every kind's schema is made of. One valibot schema per kind says everything: the TypeScript type, the
 * defaults and, through infra/crds, the structural schema and the text of `kubectl explain` (DESIGN §3.12).
 */
import * as v from 'valibot';

/** A string. */
export const text = (description: string) => v.pipe(v.string(), v.description(description));

/** A boolean. */
export const flag = (description: string) => v.pipe(v.boolean(), v.description(description));

/** A whole number, int64 on the wire. */
export const integer = (description: string) =>
  v.pipe(v.number(), v.integer(), v.metadata({ format: 'int64' }), v.description(description));

/** A whole number of at least `least`, int64 on the wire. */
export const integerFrom = (least: number, description: string) =>
  v.pipe(v.number(), v.integer(), v.minValue(least), v.metadata({ format: 'int64' }), v.description(description));

/** One of a closed set of strings. */
export const oneOf = <const T extends readonly string[]>(values: T, description: string) =>
  v.pipe(v.picklist(values), v.description(description));

/** An object with known fields; unknown ones are dropped on parsing, as the API server prunes them. */
export const object = <const T extends v.ObjectEntries>(entries: T, description: string) =>
  v.pipe(v.object(entries), v.readonly(), v.description(description));

/** A list of one type. Lists are atomic for server-side apply, as in kpack's own schema-less definitions. */
export const list = <T extends v.GenericSchema>(item: T, description: string) =>
  v.pipe(v.array(item), v.readonly(), v.description(description));

/** Text by text, such as labels. */
export const textMap = (description: string) =>
  v.pipe(v.record(v.string(), v.string()), v.readonly(), v.description(description));

/** A Kubernetes quantity as it arrives: `2G`, `500m` or a bare whole number. Compare by value, never as text. */
export type Quantity = string | number;

const isQuantity = (input: unknown): boolean => typeof input === 'string' || Number.isInteger(input);

/** A quantity: text or a whole number (a fraction must be quoted; the API server's int-or-string knows no others). */
export const quantity = (description: string) =>
  v.pipe(
    v.custom<Quantity>(isQuantity),
    v.metadata({ 'x-kubernetes-int-or-string': true }),
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
  structure: { readonly properties: Readonly<Record<string, unknown>>; readonly required?: readonly string[] },
  description: string,
) => v.pipe(v.custom<T>(isObject), v.metadata({ type: 'object', ...structure }), v.description(description));

/** The same schema under another description: what a field means where it is used. */
export const described = <T extends v.GenericSchema>(schema: T, description: string) =>
  v.pipe(schema, v.description(description));
