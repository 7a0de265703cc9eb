/** The definitions of group kpack.io that a cluster has. */
import { crdName, type Kind, kindNames } from '../../../lib/api/kinds.ts';
import type { KubeClient } from '../../../lib/kube/client.ts';
import type { LiveDefinition } from '../../../lib/migration/definitions.ts';

/** The key of a kind's definition. */
export const definitionKey = (kind: Kind) =>
  ({ kind: 'CustomResourceDefinition', namespace: '', name: crdName(kind) }) as const;

/** Those that are there, by kind; an older kpack has not all of them. @throws KubeError */
export const liveDefinitions = async (client: KubeClient): Promise<ReadonlyMap<Kind, LiveDefinition>> => {
  const found = new Map<Kind, LiveDefinition>();
  for (const kind of kindNames) {
    const definition = await client.get<LiveDefinition>(definitionKey(kind));
    if (definition !== undefined) found.set(kind, definition);
  }
  return found;
};
