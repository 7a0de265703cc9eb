import * as v from 'valibot';
import { object } from './field.ts';
import { ObjectMetaSchema } from './object-meta.ts';
import { type Rule, ruled } from './rule.ts';

/** API group of every kind. */
export const GROUP = 'kpack.io';

/** The version that is stored and that reconcilers speak. */
export const VERSION = 'v1alpha2';

/** `apiVersion` of every object reconcilers read and write. */
export const API_VERSION = 'kpack.io/v1alpha2';

/** The envelope around a kind's spec and status. */
export const resource = <const K extends string, S extends v.GenericSchema, T extends v.GenericSchema>(
  kind: K,
  {
    spec,
    status,
    description,
    rules = [],
  }: { readonly spec: S; readonly status: T; readonly description: string; readonly rules?: readonly Rule[] },
) =>
  ruled(
    object(
      {
        apiVersion: v.literal(API_VERSION),
        kind: v.literal(kind),
        metadata: ObjectMetaSchema,
        spec,
        status: v.optional(status),
      },
      description,
    ),
    ...rules,
  );
