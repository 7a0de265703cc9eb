/**
 * The oldest and other API servers that are supported (lib/kube/server-version.ts): what kpackless needs of one, tried with each. Every suite that
 * starts an API server runs as an older one with KPACKLESS_TEST_KUBERNETES=1.31 (docs/commands.md); without, as the newest. What is emulated is
 * their API and features; what is the same code in all, such as how a list is looked up, is the newest one's.
 */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { definitionOf } from '../../../infra/crds/definition.ts';
import { waitUntil } from '../../../infra/local/cluster/wait.ts';
import type { Build } from '../../../lib/api/build.ts';
import type { Image } from '../../../lib/api/image.ts';
import { crdName, kindNames, kinds } from '../../../lib/api/kinds.ts';
import type { SourceResolver } from '../../../lib/api/source-resolver.ts';
import { buildPod } from '../../../lib/builds/pod/build-pod.ts';
import { imageReconciler } from '../../../lib/images/reconcile.ts';
import { type KubeClient, kubeClient } from '../../../lib/kube/client.ts';
import type { KubeObject } from '../../../lib/kube/object.ts';
import { runReflector } from '../../../lib/kube/reflector.ts';
import { askSupport } from '../../../lib/kube/server-version.ts';
import { sleep } from '../../../lib/kube/sleep.ts';
import { type KubeTransport, kubeTransport } from '../../../lib/kube/transport.ts';
import { usualTimes } from '../../../lib/kube/watch-times.ts';
import { type ApiServer, apiServerIsHere, startApiServer } from '../../support/api-server.ts';
import { runPass } from '../../support/run-pass.ts';
import { buildB, contextB } from '../../unit/builds/base-build.ts';

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const apiVersion = 'kpack.io/v1alpha2';
const namespace = 'default';
const source = { blob: { url: 'https://example.com/app.zip' } };

type Written = KubeObject & { readonly spec: object; readonly status?: object };
const builder: Written = {
  apiVersion,
  kind: 'ClusterBuilder',
  metadata: { name: 'base' },
  spec: {
    tag: 'registry.example/base',
    serviceAccountRef: { name: 'default', namespace },
    stack: { kind: 'ClusterStack', name: 'base' },
    store: { kind: 'ClusterStore', name: 'base' },
  },
};
const ready = {
  observedGeneration: 1,
  conditions: [
    { type: 'Ready', status: 'True' },
    { type: 'UpToDate', status: 'True' },
  ],
  latestImage: `registry.example/builder@sha256:${'b'.repeat(64)}`,
  stack: { id: 'io.example', runImage: `registry.example/run@sha256:${'c'.repeat(64)}` },
};
const image = {
  apiVersion,
  kind: 'Image',
  metadata: { name: 'app', namespace },
  spec: { tag: 'registry.example/app', builder: { kind: 'ClusterBuilder', name: 'base' }, source },
} as unknown as Image & KubeObject;

describe.runIf(apiServerIsHere).each(['1.31', '1.32', '1.33'])('Kubernetes %s', (version) => {
  let server: ApiServer;
  let transport: KubeTransport;
  let kube: KubeClient;

  beforeAll(async () => {
    server = await startApiServer({ emulatedVersion: version });
    transport = kubeTransport(server.config);
    kube = kubeClient(transport);
    for (const kind of kindNames) await kube.apply(definitionOf(kind));
    for (const kind of kindNames) {
      const served = async (): Promise<boolean> =>
        (await server.api.send('GET', `/apis/${apiVersion}/${kinds[kind].plural}`)) !== undefined;
      await waitUntil(served, { what: `${crdName(kind)} being served`, timeout: 20_000 });
    }
  });
  afterAll(async () => {
    transport?.close();
    await server?.stop();
  });

  it('says what it is, and is supported', async () => {
    const { body } = await transport.send({ method: 'GET', path: '/version' });
    expect(JSON.parse(body)).toMatchObject({ emulationMinor: version.replace('1.', '') });
    expect(await askSupport(transport)).toStrictEqual({ isSupported: true, note: undefined });
  });

  it('finds every definition structural, and holds objects to their rules', async () => {
    const { items } = (await server.api.send('GET', definitions)) as {
      readonly items: readonly {
        readonly status: { readonly conditions: readonly { readonly type: string; readonly status: string }[] };
      }[];
    };
    expect(items).toHaveLength(kindNames.length);
    for (const { status } of items)
      expect(status.conditions.map(({ type, status: truth }) => `${type} ${truth}`)).toEqual([
        'NamesAccepted True',
        'Established True',
      ]);
    const spec = { tags: ['registry.example/app'], builder: { image: 'registry.example/builder' }, source };
    const build = await kube.create<Written>({
      apiVersion,
      kind: 'Build',
      metadata: { name: 'ruled', namespace },
      spec,
    });
    const changed = { ...build, spec: { ...build.spec, tags: ['registry.example/other'] } };
    await expect(kube.replace(changed)).rejects.toThrow('spec cannot be changed: make another Build');
    await kube.delete(build);
  });

  it('tells of what is made, changed and deleted, and marks how far it is', async () => {
    const stop = new AbortController();
    const seen: string[] = [];
    const saved: string[] = [];
    let isReady = false;
    const running = runReflector(
      'ConfigMap',
      'test=versions',
      {
        transport,
        listed: async ({ objects }) => void seen.push(...objects.map(({ metadata }) => `listed ${metadata.name}`)),
        changed: async (changes) =>
          void seen.push(
            ...changes.map(({ deleted, added, object }) =>
              [deleted ? 'deleted' : added ? 'added' : 'changed', object.metadata.name].join(' '),
            ),
          ),
        received: () => undefined,
        missed: () => undefined,
        loadCheckpoint: async () => undefined,
        saveCheckpoint: async (reached) => void saved.push(reached),
        wentBack: async () => undefined,
        ready: (nowReady) => {
          isReady = nowReady;
        },
        warn: (what, why) => void seen.push(`${what}: ${String(why)}`),
        timesBack: () => 0,
        pause: sleep,
        clock: () => new Date(),
        random: () => 0,
        times: { ...usualTimes, trustedSeconds: 5 },
      },
      stop.signal,
    );
    await expect.poll(() => isReady, { timeout: 20_000 }).toBe(true);
    const metadata = { name: 'm', namespace, labels: { test: 'versions' } };
    const made = await kube.create<KubeObject>({ apiVersion: 'v1', kind: 'ConfigMap', metadata });
    const changed = await kube.replace({ ...made, data: { a: '1' } });
    await kube.delete(changed);
    await expect.poll(() => seen, { timeout: 10_000 }).toStrictEqual(['added m', 'changed m', 'deleted m']);
    // The watch ends with a bookmark, which is saved.
    await expect.poll(() => saved.length, { timeout: 20_000 }).toBeGreaterThan(0);
    stop.abort();
    await running;
  }, 60_000);

  it('makes of an Image its resolver and its Build, and the next pass writes nothing more', async () => {
    await kube.replaceStatus({ ...(await kube.create(builder)), status: ready });
    await kube.create(image);
    const reconciler = imageReconciler({ priorityClasses: false });
    const pass = () => runPass(reconciler, kube, { kind: 'Image', namespace, name: 'app' });
    await pass();
    const resolver = await kube.get<SourceResolver>({ kind: 'SourceResolver', namespace, name: 'app-source' });
    if (resolver !== undefined && resolver.status?.source === undefined) {
      const status = { observedGeneration: 1, conditions: [{ type: 'Ready', status: 'True' }], source };
      await kube.replaceStatus({ ...resolver, status } as unknown as SourceResolver);
    }
    await pass();
    const listed = () => kube.list<Build>('Build', { namespace, labelSelector: 'image.kpack.io/image=app' });
    expect((await listed()).map(({ metadata }) => metadata.name)).toEqual(['app-build-1']);
    await pass();
    expect((await pass()).statusWrites).toBe(0);
    expect(await listed()).toHaveLength(1);
  });

  it('takes the pod of a build in both forms, with the field for all of a pod’s resources left out', async () => {
    const created = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'some-namespace' } };
    await server.api.ensure('/api/v1/namespaces', created);
    await server.api.ensure('/api/v1/namespaces/some-namespace/serviceaccounts', {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'someserviceaccount' },
    });
    const build = buildB({ resources: { limits: { cpu: '1', memory: '1Gi' } } });
    for (const settings of [{}, { buildSteps: 'parallel' } as const]) {
      const path = '/api/v1/namespaces/some-namespace/pods?dryRun=All';
      // What admission looks up in caches of its own may have been made a moment ago.
      const taken = await vi.waitFor(() => server.api.send('POST', path, buildPod(build, contextB({ settings }))), {
        timeout: 10_000,
      });
      expect((taken as Pod).status).toMatchObject({ phase: 'Pending' });
      expect((taken as Pod).spec).not.toHaveProperty('resources');
    }
  });

  it('answers a list by label without a look into its store', async () => {
    const storeLists = async (): Promise<number> => {
      const { body } = await transport.send({ method: 'GET', path: '/metrics', accept: '*/*' });
      const ofBuilds = /^etcd_request_duration_seconds_count\{.*operation="list\w*",resource="builds"/;
      const lines = body.split('\n').filter((line) => ofBuilds.test(line));
      return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    };
    const list = () => kube.list('Build', { namespace, labelSelector: 'image.kpack.io/image=app' });
    await list();
    const before = await storeLists();
    for (let lists = 0; lists < 10; lists += 1) await list();
    expect(await storeLists()).toBe(before);
    expect(before).toBeGreaterThan(0);
  });
});
