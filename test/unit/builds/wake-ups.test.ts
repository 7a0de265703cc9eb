/** What one build costs in wake-ups and in requests of the API, counted with every message delivered on its own, as in the worst case. */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Builder } from '../../../lib/api/builder.ts';
import type { Image } from '../../../lib/api/image.ts';
import { accountRegistries } from '../../../lib/buildpacks/account-registry.ts';
import { buildReconciler } from '../../../lib/builds/reconcile.ts';
import { imageReconciler } from '../../../lib/images/reconcile.ts';
import type { KubeClient } from '../../../lib/kube/client.ts';
import type { KubeObject } from '../../../lib/kube/object.ts';
import { deduplicationIdOf, type Message } from '../../../lib/queue/message.ts';
import type { Reconcilable, Reconciler } from '../../../lib/reconcile/reconciler.ts';
import { passRunner, type RunnerPorts } from '../../../lib/reconcile/run.ts';
import { pointersFor, watchedKinds } from '../../../lib/relay/pointers.ts';
import { defaultPollSettings } from '../../../lib/sources/polling.ts';
import { blobProber } from '../../../lib/sources/probe-blob.ts';
import { sourceResolverReconciler } from '../../../lib/sources/reconcile.ts';
import { Circuits } from '../../../lib/state/circuits.ts';
import { HostCircuits } from '../../../lib/state/host-circuits.ts';
import { PollPages } from '../../../lib/state/poll-pages.ts';
import { Polls } from '../../../lib/state/polls.ts';
import { Records } from '../../../lib/state/records.ts';
import { FakeKube } from '../../support/fake-kube.ts';
import { builderStatus } from '../../support/image-world.ts';
import { anywhere, openTransport } from '../../support/open-egress.ts';
import { type StateTables, stateTables } from '../../support/state-table.ts';
import { contextB } from './base-build.ts';
import { appFacts, builderFacts, completionMessage, ended, lifecycleSteps, succeededPod } from './build-world.ts';

const cluster = 'one';
const namespace = 'team';

let state: StateTables;
beforeAll(async () => {
  state = await stateTables();
});
afterAll(() => state[Symbol.asyncDispose]());

/** What happened since it was last asked. */
interface Cost {
  reads: number;
  /** Reads and writes when the pod was made, its own write included. */
  atPod?: { readonly reads: number; readonly writes: number };
  readonly writes: string[];
  /** Kinds whose passes were run, and how many wake-ups of each were skipped without a request. */
  readonly passes: string[];
  skipped: number;
}

const nothing = (): Cost => ({ reads: 0, writes: [], passes: [], skipped: 0 });

const world = async () => {
  const kube = new FakeKube();
  const queue: Message[] = [];
  let cost = nothing();
  let requests = 0;

  let now = Date.parse('2026-01-01T10:00:00Z');
  const known = new Set<string>();
  /** What the relay says of what was handed over already is the same message: the queue swallows it. */
  const enqueue = (messages: readonly Message[]): void => {
    for (const message of messages) {
      const id = deduplicationIdOf(message);
      if (!known.has(id)) queue.push(message);
      known.add(id);
    }
  };
  const tell = (object: KubeObject, added: boolean): void => {
    const watched = watchedKinds.find(({ kind }) => kind === object.kind);
    if (watched === undefined) return;
    const routed = pointersFor(watched, object.metadata ?? {}, { cluster, epoch: 'e' }, undefined, { added });
    enqueue(routed.flatMap(({ queue: to, message }) => (to === 'dependents' ? [] : [message])));
  };
  const read = <T>(answer: Promise<T>): Promise<T> => {
    requests += 1;
    cost.reads += 1;
    return answer;
  };
  /** The relay hears of what was written, but not of a write that changed nothing. */
  const written = async <T extends KubeObject>(what: string, before: string | undefined, answer: Promise<T>) => {
    requests += 1;
    const made = await answer;
    cost.writes.push(`${what} ${made.kind}`);
    if (what === 'create' && made.kind === 'Pod') cost.atPod = { reads: cost.reads, writes: cost.writes.length };
    if (made.metadata?.resourceVersion !== before) tell(made, what === 'create');
    return made;
  };
  const client: KubeClient = {
    getForeign: () => kube.getForeign(),
    apply: () => kube.apply(),
    token: () => kube.token(),
    logTail: () => kube.logTail(),
    logEnd: () => kube.logEnd(),
    get: <T extends KubeObject>(key: Parameters<KubeClient['get']>[0]) => read(kube.get<T>(key)),
    list: <T extends KubeObject>(...given: Parameters<KubeClient['list']>) => read(kube.list<T>(...given)),
    create: (object) => written('create', undefined, kube.create(object)),
    replace: (object) => written('replace', object.metadata?.resourceVersion, kube.replace(object)),
    replaceStatus: (object) => written('status', object.metadata?.resourceVersion, kube.replaceStatus(object)),
    patch: (key, patch) => written('patch', undefined, kube.patch(key, patch)),
    delete: (object) => kube.delete(object),
  };

  const table = await state.empty();
  const ports: RunnerPorts = {
    records: new Records(table),
    circuits: new Circuits(table),
    sender: { send: (_queue, messages) => Promise.resolve(enqueue(messages)) },
    kube: () => Promise.resolve(client),
    clock: () => new Date(now),
    random: () => 0,
    log: () => undefined,
  };
  const { programs, settings } = contextB();
  const fail = () => Promise.reject(new Error('not wanted here'));
  const images = {
    read: (reference: string) => Promise.resolve(reference.includes('builder') ? builderFacts : appFacts),
    rebase: fail,
    sign: fail,
  };
  const run = <T extends Reconcilable>(reconciler: Reconciler<T>) => passRunner(reconciler, ports);
  const runners = new Map([
    ['Image', run(imageReconciler({ priorityClasses: false }))],
    ['Build', run(buildReconciler({ images, programs, settings }))],
    [
      'SourceResolver',
      run(
        sourceResolverReconciler({
          ...ports,
          hosts: new HostCircuits(table),
          listRefs: () => Promise.resolve([{ name: 'refs/heads/main', hash: '1'.repeat(40) }]),
          polls: new Polls(table),
          pages: new PollPages(table),
          settings: defaultPollSettings,
          probeBlob: blobProber(anywhere),
          registryFor: accountRegistries({ transport: openTransport }),
        }),
      ),
    ],
  ]);

  return {
    kube,
    tell,
    later: (seconds: number): void => {
      now += seconds * 1000;
    },
    /** Delivers one message after the other until there is none, and says what that cost. */
    quiet: async (): Promise<Cost> => {
      for (let message = queue.shift(); message !== undefined; message = queue.shift()) {
        const before = requests;
        const { kind } = message.target;
        const target = { cluster, ...message.target };
        const result = await runners.get(kind)?.(target, [message], 60);
        if (result === 'skipped') {
          expect(requests - before).toBe(0);
          cost.skipped += 1;
        } else cost.passes.push(kind);
      }
      const spent = cost;
      cost = nothing();
      return spent;
    },
  };
};

describe('one build', () => {
  it('costs this many wake-ups, reads and writes: they may not grow', async () => {
    const { kube, tell, later, quiet } = await world();
    kube.put({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } });
    const v1alpha2 = { apiVersion: 'kpack.io/v1alpha2' };
    kube.put<Builder>({
      ...v1alpha2,
      kind: 'Builder',
      metadata: { name: 'base', namespace },
      status: builderStatus,
    } as Builder);
    const image = {
      ...v1alpha2,
      kind: 'Image',
      metadata: { name: 'app', namespace },
      spec: {
        tag: 'registry.example/app',
        builder: { kind: 'Builder', name: 'base' },
        source: { git: { url: 'https://git.example/app', revision: 'main' } },
        cache: { volume: { size: '1Gi' } },
      },
    } as Image;
    tell(kube.put(image), true);
    const toPod = await quiet();
    expect(toPod.passes).toEqual(['Image', 'SourceResolver', 'Image', 'Build']);
    expect(toPod).toMatchObject({ atPod: { writes: 6, reads: 10 } });

    const key = { kind: 'Pod', namespace, name: 'app-build-1-build-pod' };
    const kubelet = async (status: NonNullable<Pod['status']>): Promise<Cost> => {
      later(1);
      const pod = await kube.get<Pod & KubeObject>(key);
      tell(await kube.replaceStatus<Pod & KubeObject>({ ...pod, status }), false);
      return quiet();
    };
    const toReady: Cost[] = [];
    for (const [index] of lifecycleSteps.entries()) {
      const initContainerStatuses = lifecycleSteps.slice(0, index + 1).map((name) => ended(name));
      toReady.push(await kubelet({ phase: 'Pending', initContainerStatuses }));
    }
    toReady.push(await kubelet(succeededPod(completionMessage())));
    const writes = toReady.flatMap((spent) => spent.writes);
    // The Build: at once, each second step, and its end; the Image: that it runs, and its end.
    expect(writes.filter((line) => line === 'status Build').length).toBeLessThanOrEqual(5);
    expect(writes.filter((line) => line === 'status Image')).toHaveLength(2);
    expect(writes.length).toBeLessThanOrEqual(7);
    expect(toReady.at(-1)?.writes).toEqual(['status Build', 'status Image']);
    const ready = kube.find('Image', 'app');
    expect(ready?.status).toMatchObject({
      latestBuildRef: 'app-build-1',
      conditions: [{ type: 'Ready', status: 'True' }, {}, {}],
    });

    tell(kube.put(ready ?? {}), false);
    expect(await quiet()).toEqual({ passes: ['Image'], reads: 5, writes: [], skipped: 0 });
  });

  it('of a source that nobody has to be asked about takes an Image pass and a Build pass', async () => {
    const { kube, tell, quiet } = await world();
    kube.put({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } });
    const builder = { apiVersion: 'kpack.io/v1alpha2', kind: 'Builder', metadata: { name: 'base', namespace } };
    kube.put<Builder>({ ...builder, status: builderStatus } as Builder);
    const image = {
      apiVersion: 'kpack.io/v1alpha2',
      kind: 'Image',
      metadata: { name: 'app', namespace },
      spec: {
        tag: 'registry.example/app',
        builder: { kind: 'Builder', name: 'base' },
        source: { registry: { image: 'registry.example/source:1' } },
      },
    } as Image;
    tell(kube.put(image), true);
    const toPod = await quiet();
    expect(toPod.passes).toEqual(['Image', 'Build']);
    expect(toPod.writes).toEqual([
      'create SourceResolver',
      'status SourceResolver',
      'create Build',
      'status Image',
      'create Pod',
    ]);
    expect(toPod.reads).toBeLessThanOrEqual(5);
    expect(toPod.skipped).toBeGreaterThan(0);
  });
});
