/** An object as it can be made anew from what was read of it. */
import type { KubeObject } from '../kube/object.ts';

/**
 * Without what a server says of an object that is there: versions, times, owners of fields. Owners are left out too, as they are named by uid:
 * kpack's webhook writes itself into its configurations again (spec 05 §4.2).
 */
export const fresh = <T extends KubeObject>(object: T): T => {
  const { name, namespace, labels, annotations } = object.metadata ?? {};
  const { status: _status, ...rest } = object as T & { readonly status?: unknown };
  return {
    ...rest,
    metadata: {
      name,
      ...(namespace !== undefined && { namespace }),
      ...(labels !== undefined && { labels }),
      ...(annotations !== undefined && { annotations }),
    },
  } as unknown as T;
};
