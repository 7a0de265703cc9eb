/** Sends an object as its user did: made, or, with what was stored before, changed. */
import type { Kind } from '../../../lib/api/kinds.ts';
import { isJson, type Json } from '../../support/golden-objects.ts';
import { type Answer, collectionOf, type HowWritten, type KpackCluster } from '../../support/kpack-cluster.ts';

/** An object as it was recorded or written. */
export interface Sent extends Json {
  readonly apiVersion: string;
  readonly kind: Kind;
  readonly metadata: Json & { readonly name?: string; readonly generateName?: string };
}

let count = 0;

/** Objects of one name lie side by side when each has a name of its own; one that is long on purpose keeps it. */
const ownName = ({ metadata: { name, generateName = 'object-' } }: Sent): string => {
  if (name !== undefined && name.length > 50) return name;
  return `${name ?? generateName.replace(/-$/, '')}-${++count}`;
};

const versionOf = ({ apiVersion }: Sent): string => apiVersion.replace('kpack.io/', '');

/**
 * What people write themselves: some manifests were read from a cluster with what that had set, and of some the labels were made unreadable, which
 * Kubernetes refuses before it asks anybody.
 */
const written = ({ labels, annotations }: Json): Json => ({
  ...(isJson(labels) ? { labels } : {}),
  ...(isJson(annotations) ? { annotations } : {}),
});

const named = (object: Sent, name: string): Sent => ({ ...object, metadata: { ...written(object.metadata), name } });

/** What the API server says to the making of it. */
export const made = (cluster: KpackCluster, object: Sent, query = '', how: HowWritten = {}): Promise<Answer> => {
  const { kind } = object;
  const path = `${collectionOf(kind, versionOf(object))}${query}`;
  return cluster.write('POST', path, named(object, ownName(object)), how);
};

/** What the API server says to the change of `before` into `after`. @throws Error when `before` itself is refused */
export const changed = async (cluster: KpackCluster, before: Sent, after: Sent): Promise<Answer> => {
  const name = ownName(before);
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
