/** From valibot to the structural schema of a CustomResourceDefinition (Kubernetes "Specifying a structural schema"). */
import { toJsonSchema } from '@valibot/to-json-schema';
import type * as v from 'valibot';
import type { Rule } from '../../lib/api/rule.ts';

/** A node of a structural schema. */
export interface StructuralSchema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, StructuralSchema>>;
  readonly additionalProperties?: StructuralSchema;
  readonly items?: StructuralSchema;
  readonly required?: readonly string[];
  readonly minimum?: number;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  /** Rules in CEL that the API server applies. */
  readonly 'x-kubernetes-validations'?: readonly Rule[];
}

const isSchema = (input: unknown): input is StructuralSchema =>
  typeof input === 'object' && input !== null && !Array.isArray(input);

/** `required: []` is legal nowhere and rules of none are not kept by the API server; everything else the converter writes is, level by level. */
const withoutEmptyLists = (schema: StructuralSchema): StructuralSchema => {
  const { properties, additionalProperties, items, required, 'x-kubernetes-validations': rules, ...rest } = schema;
  return {
    ...rest,
    ...(rules === undefined || rules.length === 0 ? {} : { 'x-kubernetes-validations': rules }),
    ...(required === undefined || required.length === 0 ? {} : { required }),
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(properties).map(([name, property]) => [name, withoutEmptyLists(property)]),
          ),
        }),
    ...(isSchema(additionalProperties) ? { additionalProperties: withoutEmptyLists(additionalProperties) } : {}),
    ...(isSchema(items) ? { items: withoutEmptyLists(items) } : {}),
  };
};

/** What the API server owns: it checks these itself and refuses a schema that says more. */
const envelope: Readonly<Record<string, StructuralSchema>> = {
  apiVersion: { type: 'string', description: 'Version of the schema this object is written in.' },
  kind: { type: 'string', description: 'Kind of the object.' },
  metadata: { type: 'object' },
};

/** The structural schema of a kind. Throws when a schema uses something the API server has no word for. */
export const structuralSchema = (schema: v.GenericSchema): StructuralSchema => {
  const converted: unknown = toJsonSchema(schema, {
    typeMode: 'input',
    target: 'openapi-3.0',
    ignoreActions: ['readonly'],
    errorMode: 'throw',
    // A custom schema says what it is in its metadata, which the converter adds after this.
    overrideSchema: ({ valibotSchema, jsonSchema }) => (valibotSchema.type === 'custom' ? jsonSchema : undefined),
  });
  if (!isSchema(converted))
    throw new Error('the converter gave no schema: look at the versions of valibot and to-json-schema');
  const { properties, required, ...root } = withoutEmptyLists(converted);
  return {
    ...root,
    required: (required ?? []).filter((name) => !Object.hasOwn(envelope, name)),
    properties: { ...properties, ...envelope },
  };
};
