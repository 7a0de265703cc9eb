/** A cluster that runs kpack, with what kpack really made in it (golden), on an API server that has nothing yet. */
import { waitUntil } from '../../infra/local/cluster/wait.ts';
import { type Kind, kindNames } from '../../lib/api/kinds.ts';
import type { KubeClient } from '../../lib/kube/client.ts';
import { type KubeObject, keyOf, showKey } from '../../lib/kube/object.ts';
import { collectionPath } from '../../lib/kube/resources.ts';
import type { KubeTransport } from '../../lib/kube/transport.ts';
import type { LiveDefinition } from '../../lib/migration/definitions.ts';
import { type KpackWebhook, kpackDefinition, kpackParts, kpackWebhooks } from './kpack-release.ts';
import { putRecorded, recordedWorld } from './recorded-cluster.ts';

/** Of these the first objects were made when v1alpha1 was what is stored. */
const onceOlder: readonly Kind[] = ['Image', 'Build', 'SourceResolver', 'ClusterStack'];

const definition = async (kube: KubeClient, kind: Kind, webhook: KpackWebhook): Promise<LiveDefinition> => {
  const key = keyOf(kpackDefinition(kind, webhook));
  const found = await kube.get<LiveDefinition>(key);
  if (found === undefined) throw new Error(`${showKey(key)} is gone`);
  return found;
};

/** Makes it; gives the names of the objects that lie in the store as v1alpha1. */
export const makeKpackWorld = async (
  kube: KubeClient,
  transport: KubeTransport,
  webhook: KpackWebhook,
): Promise<readonly string[]> => {
  for (const object of kpackParts()) await kube.create(object);
  for (const kind of kindNames)
    await kube.create(kpackDefinition(kind, webhook, onceOlder.includes(kind) ? 'v1alpha1' : 'v1alpha2'));
  for (const kind of kindNames)
    await waitUntil(() => transport.send({ method: 'GET', path: collectionPath(kind) }).then(() => true), {
      what: `${kind}s to be served`,
      timeout: 20_000,
    });
  const objects = recordedWorld();
  for (const namespace of new Set(objects.map(({ metadata }) => metadata['namespace'])))
    if (typeof namespace === 'string')
      await kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  const half = Math.ceil(objects.length / 2);
  for (const object of objects.slice(0, half)) await putRecorded(kube, object);
  for (const kind of onceOlder)
    await kube.replace({ ...(await definition(kube, kind, webhook)), spec: kpackDefinition(kind, webhook).spec });
  await waitUntil(
    async () => (await definition(kube, 'Image', webhook)).status?.storedVersions?.includes('v1alpha2') === true,
    { what: 'v1alpha2 to be stored', timeout: 20_000 },
  );
  for (const object of objects.slice(half)) await putRecorded(kube, object);
  for (const object of kpackWebhooks(webhook)) await kube.create(object);
  await kube.create({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'builder', namespace: 'gold-default' },
  });
  return objects
    .slice(0, half)
    .filter(({ kind }) => onceOlder.includes(kind))
    .map((object) => showKey(keyOf(object as KubeObject)));
};
