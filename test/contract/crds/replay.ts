/** Sends an object as its user did: made, or, with what was stored before, changed. */
import type { Kind } from '../../../lib/api/kinds.ts';
import { isJson, type Json } from '../../support/golden-objects.ts';
import { type Answer, collectionOf, type KpackCluster } from '../../support/kpack-cluster.ts';

/** An object as it was recorded or written. */
export interface Sent extends Json {
  readonly apiVersion: string;
  readonly kind: Kind;
  readonly metadata: Json & { readonly name: string };
}

let count = 0;

/** Objects of one name lie side by side when each has a name of its own; one that is long on purpose keeps it. */
const ownName = (name: string): string => (name.length > 50 ? name : `${name}-${++count}`);

const versionOf = ({ apiVersion }: Sent): string => apiVersion.replace('kpack.io/', '');

const named = (object: Sent, name: string): Sent => {
  const { namespace: _, ...metadata } = object.metadata;
  return { ...object, metadata: { ...metadata, name } };
};

/** What the API server says to the making of it. */
export const made = (cluster: KpackCluster, object: Sent, query = ''): Promise<Answer> => {
  const { kind, metadata } = object;
  const path = `${collectionOf(kind, versionOf(object))}${query}`;
  return cluster.write('POST', path, named(object, ownName(metadata.name)));
};

/** What the API server says to the change of `before` into `after`. @throws Error when `before` itself is refused */
export const changed = async (cluster: KpackCluster, before: Sent, after: Sent): Promise<Answer> => {
  const name = ownName(before.metadata.name);
  const path = collectionOf(before.kind, versionOf(before));
  const first = await cluster.write('POST', path, named(before, name));
  if (first.status > 299) throw new Error(`${before.kind} ${name} could not be made: ${first.message}`);
  const { metadata } = first.body;
  const resourceVersion = isJson(metadata) ? metadata['resourceVersion'] : undefined;
  const next = named(after, name);
  return cluster.write('PUT', `${collectionOf(after.kind, versionOf(after))}/${name}`, {
    ...next,
    metadata: { ...next.metadata, resourceVersion },
  });
};
