/** The suite's cluster as kpack would have it: its definitions, webhooks, Deployments with pods, and what it really made elsewhere (golden). */
import type { Deployment } from 'kubernetes-types/apps/v1.d.ts';
import { crdName, type Kind, kindNames } from '../../lib/api/kinds.ts';
import type { KubeObject } from '../../lib/kube/object.ts';
import type { LiveDefinition } from '../../lib/migration/definitions.ts';
import { type KpackWebhook, kpackDefinition, kpackParts, kpackWebhooks } from '../support/kpack-release.ts';
import { putRecorded, recordedWorld } from '../support/recorded-cluster.ts';
import type { Suite } from './suite.ts';
import { waitFor } from './wait.ts';

/** Of these the first objects are stored as v1alpha1, as of clusters that are older than v1alpha2. */
const onceOlder: readonly Kind[] = ['Image', 'Build', 'SourceResolver', 'ClusterStack'];

const definitionOf = (kind: Kind) => ({ kind: 'CustomResourceDefinition', namespace: '', name: crdName(kind) });

/** Gives the definition kpack's spec, and takes our marks away. */
const giveSpec = async ({ kube }: Suite, kind: Kind, webhook: KpackWebhook, stored: string): Promise<void> => {
  const found = await kube.get<LiveDefinition>(definitionOf(kind));
  const { labels: _, managedFields: __, ...metadata } = { ...found?.metadata } as Record<string, unknown>;
  await kube.replace({ ...kpackDefinition(kind, webhook, stored), metadata });
};

const storesIn = async ({ kube }: Suite, kind: Kind, version: string): Promise<boolean> =>
  (await kube.get<LiveDefinition>(definitionOf(kind)))?.status?.storedVersions?.includes(version) === true;

/** Its Deployments run something, as only what runs can be laid down and be ready again. */
const runnable = (object: KubeObject, image: string): KubeObject => {
  if (object.kind !== 'Deployment') return object;
  const { spec } = object as Deployment & KubeObject;
  const containers = spec?.template.spec?.containers.map((one) => ({
    ...one,
    image,
    command: ['/bin/sh', '-c', 'trap "exit 0" TERM; while :; do sleep 1; done'],
  }));
  return {
    ...object,
    spec: { ...spec, template: { ...spec?.template, spec: { ...spec?.template.spec, containers } } },
  } as KubeObject;
};

/** Our policies are not kpack's; they are obeyed for a moment after they are gone. */
const takePoliciesAway = async ({ kube, transport }: Suite): Promise<void> => {
  for (const kind of ['ValidatingAdmissionPolicyBinding', 'ValidatingAdmissionPolicy'])
    for (const object of await kube.list(kind))
      if (object.metadata?.name?.startsWith('kpackless-') === true) await kube.delete(object);
  const spec = { tag: 'a/b', builder: { kind: 'ClusterBuilder', name: 'b' }, source: { registry: { image: 'a/b' } } };
  const body = JSON.stringify({
    apiVersion: 'kpack.io/v1alpha2',
    kind: 'Image',
    metadata: { name: 'notary' },
    spec: { ...spec, notary: { v1: { url: 'https://notary.example', secretRef: { name: 's' } } } },
  });
  const path = '/apis/kpack.io/v1alpha2/namespaces/default/images';
  await waitFor(
    () => transport.send({ method: 'POST', path, query: { dryRun: 'All' }, body, contentType: 'application/json' }),
    {
      what: 'our policies to be gone',
      seconds: 30,
    },
  );
};

/** kpack takes the cluster: everything that is there stays, and everything of its recordings comes. */
export const giveToKpack = async (suite: Suite, webhook: KpackWebhook): Promise<void> => {
  const { kube } = suite;
  await takePoliciesAway(suite);
  for (const name of ['controller', 'webhook'])
    await kube.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: 'kpack' } });
  for (const object of kpackParts().filter(({ kind }) => kind !== 'Namespace'))
    await kube.create(runnable(object, suite.images.run));
  for (const kind of kindNames)
    await giveSpec(suite, kind, webhook, onceOlder.includes(kind) ? 'v1alpha1' : 'v1alpha2');
  for (const kind of onceOlder)
    await waitFor(() => storesIn(suite, kind, 'v1alpha1'), { what: `${kind}s to be stored as v1alpha1` });
  const objects = recordedWorld();
  for (const namespace of new Set(objects.map(({ metadata }) => metadata['namespace'])))
    if (typeof namespace === 'string')
      await kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  const half = Math.ceil(objects.length / 2);
  for (const object of objects.slice(0, half)) await putRecorded(kube, object);
  for (const kind of onceOlder) await giveSpec(suite, kind, webhook, 'v1alpha2');
  for (const object of objects.slice(half)) await putRecorded(kube, object);
  for (const object of kpackWebhooks(webhook)) await kube.create(object);
};
