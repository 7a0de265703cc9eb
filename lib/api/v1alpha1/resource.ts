/** The envelope of the older version, which clients such as `kp … --wait` still speak (spec 01 §1); nothing here reconciles it. */
import * as v from 'valibot';
import { object } from '../field.ts';
import { ObjectMetaSchema } from '../object-meta.ts';

/** The version that is served and never stored. */
export const OLDER_VERSION = 'v1alpha1';

/** `apiVersion` of its objects. */
export const OLDER_API_VERSION = 'kpack.io/v1alpha1';

/** The envelope around a kind's spec and status. */
export const olderResource = <const K extends string, S extends v.GenericSchema, T extends v.GenericSchema>(
  kind: K,
  { spec, status, description }: { readonly spec: S; readonly status: T; readonly description: string },
) =>
  object(
    {
      apiVersion: v.literal(OLDER_API_VERSION),
      kind: v.literal(kind),
      metadata: ObjectMetaSchema,
      spec,
      status: v.optional(status),
    },
    description,
  );
