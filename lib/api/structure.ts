/** Whether a value has the types that a structural schema gives it, for the parts of a schema that are written down as such. */

import type { Rule } from './rule.ts';

/** A node of a structural schema. */
export interface Structure {
  readonly type?: string;
  readonly format?: string;
  readonly description?: string;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-validations'?: readonly Rule[];
  readonly properties?: Readonly<Record<string, Structure>>;
  readonly additionalProperties?: Structure;
  readonly items?: Structure;
}

type Members = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const scalars: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  boolean: (value) => typeof value === 'boolean',
  integer: (value) => Number.isInteger(value),
};

const memberFits = (structure: Structure, [name, value]: readonly [string, unknown]): boolean => {
  const { properties = {}, additionalProperties } = structure;
  const member = Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
  return value === null || value === undefined || member === undefined || fits(member, value);
};

/** True when every known part of the value has its type. A missing field and null fit; a node without a type fits everything. */
export const fits = (structure: Structure, value: unknown): boolean => {
  const { type, items } = structure;
  if (type === undefined) return true;
  if (type === 'object') return isObject(value) && Object.entries(value).every((entry) => memberFits(structure, entry));
  if (type === 'array') return Array.isArray(value) && value.every((item) => items === undefined || fits(items, item));
  return scalars[type]?.(value) ?? false;
};
