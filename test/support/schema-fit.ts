/** Whether a value has the types of a structural schema and, where it is a quantity, its grammar: what a decoder says before any rule. */
import type { StructuralSchema } from '../../infra/crds/structural-schema.ts';

interface Node extends StructuralSchema {
  readonly pattern?: string;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly 'x-kubernetes-int-or-string'?: boolean;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isThere = (value: unknown): boolean => value !== undefined && value !== null;

const quantity = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[numkMGTPE]|[KMGTPE]i|[eE][+-]?\d+)?$/;
const isAmount = (value: unknown, fractions: boolean): boolean =>
  typeof value === 'number' ? fractions || Number.isInteger(value) : typeof value === 'string' && quantity.test(value);

const memberFits =
  ({ properties = {}, additionalProperties }: Node, how: { readonly required: boolean }) =>
  ([name, value]: readonly [string, unknown]): boolean => {
    const node = Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
    return node === undefined || !isThere(value) || fitsSchema(node, value, how);
  };

const scalars: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  boolean: (value) => typeof value === 'boolean',
  integer: (value) => Number.isInteger(value),
};

/** Null is absent in an object, and fits nothing in a list. With `required`, no required field may be absent. */
export const fitsSchema = (node: Node, value: unknown, { required: isComplete = false } = {}): boolean => {
  const { type, required = [], properties = {} } = node;
  if (node['x-kubernetes-int-or-string'] === true) return isAmount(value, false);
  if (type === undefined) return isAmount(value, true);
  if (type === 'array')
    return Array.isArray(value) && value.every((item) => fitsSchema(node.items ?? {}, item, { required: isComplete }));
  if (type !== 'object') return scalars[type]?.(value) ?? false;
  const isMissing = (name: string): boolean => {
    const member: Node | undefined = properties[name];
    return isComplete && isObject(value) && !isThere(value[name]) && member?.default === undefined;
  };
  return (
    isObject(value) &&
    !required.some(isMissing) &&
    Object.entries(value).every(memberFits(node, { required: isComplete }))
  );
};
