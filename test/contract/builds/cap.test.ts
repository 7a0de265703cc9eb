/**
 * Builds under a cap on a real API server and a real store, with a kubelet played by hand: never more pods than allowed, everybody gets a
 * turn, and what is cancelled or deleted on the way gives its slot back.
 */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { definitionOf } from '../../../infra/crds/definition.ts';
import { writeKubeconfig } from '../../../infra/local/cluster/kubeconfig.ts';
import { waitUntil } from '../../../infra/local/cluster/wait.ts';
import type { Build } from '../../../lib/api/build.ts';
import { crdName, kinds } from '../../../lib/api/kinds.ts';
import { buildReconciler } from '../../../lib/builds/reconcile.ts';
import { type KubeClient, kubeClient } from '../../../lib/kube/client.ts';
import { kubeconfigFile } from '../../../lib/kube/kubeconfig.ts';
import { type KubeTransport, kubeTransport } from '../../../lib/kube/transport.ts';
import { conditionOf, isTrue } from '../../../lib/reconcile/conditions.ts';
import { holdersSortKey, slotsKey } from '../../../lib/state/keys.ts';
import { Slots } from '../../../lib/state/slots.ts';
import type { Table } from '../../../lib/state/table.ts';
import { type ApiServer, apiServerIsHere, startApiServer } from '../../support/api-server.ts';
import { runPass } from '../../support/run-pass.ts';
import { type StateTables, stateTables } from '../../support/state-table.ts';
import { contextB } from '../../unit/builds/base-build.ts';
import { builderFacts, succeededPod } from '../../unit/builds/build-world.ts';

const limits = { perInstallation: 3, perNamespace: 2 } as const;
const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

describe.runIf(apiServerIsHere)('a cap on running builds, on a real API server', () => {
  let server: ApiServer;
  let transport: KubeTransport;
  let kube: KubeClient;
  let tables: StateTables;
  let table: Table;

  beforeAll(async () => {
    [server, tables] = await Promise.all([startApiServer(), stateTables()]);
    table = await tables.empty();
    await server.api.send('POST', definitions, definitionOf('Build'));
    const served = async (): Promise<boolean> =>
      (await server.api.send('GET', `/apis/kpack.io/v1alpha2/${kinds.Build.plural}`)) !== undefined;
    await waitUntil(served, { what: `${crdName('Build')} being served`, timeout: 20_000 });
    writeKubeconfig(server.layout.kubeconfig, server.url, server.pki.ca, server.pki.admin);
    transport = kubeTransport(kubeconfigFile(server.layout.kubeconfig));
    kube = kubeClient(transport);
    for (const name of ['a', 'b']) {
      await server.api.send('POST', '/api/v1/namespaces', { metadata: { name } });
      await server.api.ensure(`/api/v1/namespaces/${name}/serviceaccounts`, {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name: 'account' },
      });
    }
  });

  afterAll(async () => {
    transport?.close();
    await Promise.all([server?.stop(), tables?.[Symbol.asyncDispose]()]);
  });

  it('is never passed, and all Builds end', async () => {
    /** Who is to be woken, as the queue would hold them: each once. */
    const woken = new Set<string>();
    let now = new Date('2026-11-21T09:00:00Z');
    const { programs, settings } = contextB();
    const reconciler = buildReconciler({
      programs,
      settings,
      images: {
        read: () => Promise.resolve(builderFacts),
        rebase: () => Promise.reject(new Error('nothing is rebased here')),
        sign: () => Promise.reject(new Error('nothing is signed here')),
      },
      cap: {
        ...limits,
        slots: new Slots(table, () => new Date()),
        kube: () => Promise.resolve(kube),
        wake: ({ namespace, name }) => {
          woken.add(`${namespace}/${name}`);
          return Promise.resolve();
        },
      },
    });
    const all = [...Array.from({ length: 6 }, (_, n) => `a/a${n}`), ...Array.from({ length: 3 }, (_, n) => `b/b${n}`)];
    const keyOf = (path: string) => {
      const [namespace = '', name = ''] = path.split('/');
      return { namespace, name };
    };
    const pass = async (path: string) => {
      woken.delete(path);
      await runPass(reconciler, kube, { kind: 'Build', ...keyOf(path) }, { now });
    };
    const buildOf = (path: string) => kube.get<Build>({ kind: 'Build', ...keyOf(path) });
    const running = async (): Promise<readonly Pod[]> =>
      (await kube.list<Pod>('Pod')).filter(({ status }) => status?.phase !== 'Succeeded');
    const isWithinLimits = async (): Promise<void> => {
      const pods = await running();
      expect(pods.length).toBeLessThanOrEqual(limits.perInstallation);
      for (const namespace of ['a', 'b'])
        expect(pods.filter(({ metadata }) => metadata?.namespace === namespace).length).toBeLessThanOrEqual(
          limits.perNamespace,
        );
    };
    const succeed = async (pod: Pod): Promise<void> => {
      const image = `registry.example/app@sha256:${'a'.repeat(64)}`;
      await kube.replaceStatus({ ...pod, status: { ...pod.status, ...succeededPod(), message: image } });
    };

    for (const path of all) {
      const { namespace, name } = keyOf(path);
      await kube.create<Build>({
        apiVersion: 'kpack.io/v1alpha2',
        kind: 'Build',
        metadata: { namespace, name },
        spec: {
          tags: [`registry.example/${name}`],
          serviceAccountName: 'account',
          builder: { image: 'registry.example/builder' },
          source: { git: { url: 'https://git.example/a', revision: 'main' } },
        },
      });
      woken.add(path);
    }
    // All at once, as ten functions would.
    await Promise.all(all.map(pass));
    await isWithinLimits();
    expect(await running()).toHaveLength(limits.perInstallation);
    const queued: string[] = [];
    for (const path of all) if (conditionOf(await buildOf(path), 'Succeeded')?.reason === 'Queued') queued.push(path);
    expect(queued).toHaveLength(all.length - limits.perInstallation);

    // One that waits is cancelled, one that runs is cancelled, one that runs is deleted without a word.
    const [waiting = ''] = queued;
    const [cancelled = '', deleted = ''] = all.filter((path) => !queued.includes(path));
    const cancel = { metadata: { annotations: { 'build.kpack.io/cancel': '' } } };
    for (const path of [waiting, cancelled]) {
      await kube.patch<Build>({ kind: 'Build', ...keyOf(path) }, cancel);
      await pass(path);
      await pass(path);
      expect(conditionOf(await buildOf(path), 'Succeeded')).toMatchObject({ status: 'False', reason: 'Cancelled' });
    }
    const gone = await buildOf(deleted);
    await kube.delete({ ...gone, kind: 'Build' });
    const orphan = await kube.get<Pod>({
      kind: 'Pod',
      namespace: keyOf(deleted).namespace,
      name: `${keyOf(deleted).name}-build-pod`,
    });
    // The garbage collector's part.
    if (orphan !== undefined) await kube.delete({ ...orphan, kind: 'Pod' });

    const left = all.filter((path) => ![waiting, cancelled, deleted].includes(path));
    const unfinished = async (): Promise<readonly string[]> => {
      const found: string[] = [];
      for (const path of left) if (!isTrue(await buildOf(path), 'Succeeded')) found.push(path);
      return found;
    };
    for (let round = 0; (await unfinished()).length > 0; round += 1) {
      expect(round).toBeLessThan(20);
      now = new Date(now.getTime() + 60_000);
      // What is due looks again; what was woken runs at once; pods end one by one.
      for (const path of await unfinished()) await pass(path);
      while (woken.size > 0) for (const path of woken) await pass(path);
      await isWithinLimits();
      const [first] = await running();
      if (first === undefined) continue;
      await succeed({ ...first, kind: 'Pod' });
      await pass(`${first.metadata?.namespace}/${first.metadata?.labels?.['kpack.io/build']}`);
    }
    for (const scope of [
      'installation',
      { cluster: 'test', namespace: 'a' },
      { cluster: 'test', namespace: 'b' },
    ] as const)
      expect((await table.get(slotsKey(scope), holdersSortKey))?.['holders']).toBeUndefined();
  });
});
