/** Fields of an object that a structural schema does not name: the API server drops them when it next reads the object ("Field pruning"). Pure. */

/** The part of a schema that says which fields there are (apiextensions/v1 `JSONSchemaProps`). */
export interface FieldSchema {
  readonly properties?: Readonly<Record<string, FieldSchema>> | undefined;
  readonly additionalProperties?: FieldSchema | boolean | undefined;
  readonly items?: FieldSchema | undefined;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean | undefined;
}

/** Every object has them, and no schema names what is below. */
const everybodys: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata']);

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const below = (value: unknown, schema: FieldSchema, path: string): readonly string[] => {
  if (Array.isArray(value))
    return value.flatMap((one: unknown, index) => below(one, schema.items ?? {}, `${path}[${index}]`));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, one]) => {
    const at = `${path}.${name}`;
    const named = schema.properties?.[name];
    if (named !== undefined) return below(one, named, at);
    if (typeof schema.additionalProperties === 'object') return below(one, schema.additionalProperties, at);
    return schema['x-kubernetes-preserve-unknown-fields'] === true || schema.additionalProperties === true ? [] : [at];
  });
};

/** Their paths, as `spec.build.colour`; those of lists with the place. */
export const unknownFields = (object: object, schema: FieldSchema): readonly string[] =>
  Object.entries(object).flatMap(([name, value]) => {
    if (everybodys.has(name)) return [];
    const named = schema.properties?.[name];
    return named === undefined ? [name] : below(value, named, name);
  });
