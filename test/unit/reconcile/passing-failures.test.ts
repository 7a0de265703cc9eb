/** Of every kind: what passes changes no status, what lasts is told once, and what is over is taken back (DESIGN §3.33). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reconcileBuilder, reconcileClusterBuilder } from '../../../lib/builders/reconcile.ts';
import { reconcileBuildpack, reconcileClusterBuildpack } from '../../../lib/buildpackages/reconcile.ts';
import { buildReconciler } from '../../../lib/builds/reconcile.ts';
import type { ExpectedError, PermanentError } from '../../../lib/errors/expected.ts';
import { imageReconciler } from '../../../lib/images/reconcile.ts';
import { KubeError } from '../../../lib/kube/errors.ts';
import { collectionPath } from '../../../lib/kube/resources.ts';
import { reconcileClusterLifecycle } from '../../../lib/lifecycles/reconcile.ts';
import { OciError } from '../../../lib/oci/errors.ts';
import type { Message } from '../../../lib/queue/message.ts';
import { settled } from '../../../lib/reconcile/outcome.ts';
import type { Reconcilable, Reconciler } from '../../../lib/reconcile/reconciler.ts';
import { passRunner } from '../../../lib/reconcile/run.ts';
import { sourceResolverReconciler } from '../../../lib/sources/reconcile.ts';
import { reconcileClusterStack } from '../../../lib/stacks/reconcile.ts';
import { Circuits } from '../../../lib/state/circuits.ts';
import { Records } from '../../../lib/state/records.ts';
import { reconcileClusterStore } from '../../../lib/stores/reconcile.ts';
import { fakeCluster } from '../../support/fake-cluster.ts';
import { type StateTables, stateTables } from '../../support/state-table.ts';

/** Ports of what is never reached: only what is said of a failure is looked at. */
const none = {} as never;
/** A reconciler, as far as it says something of a failure. */
interface Tells {
  readonly kind: string;
  readonly statusOnFailure?: (object: never, failure: ExpectedError | PermanentError, now: Date) => unknown;
}

/** Each kind with the condition that is its own. */
const kinds: readonly (readonly [Tells, string])[] = [
  [imageReconciler({ priorityClasses: false }), 'Ready'],
  [buildReconciler({ settings: none, cap: {} } as never), 'Succeeded'],
  [sourceResolverReconciler(none), 'Ready'],
  [reconcileBuilder(none), 'UpToDate'],
  [reconcileClusterBuilder(none), 'UpToDate'],
  [reconcileClusterStore(none), 'Ready'],
  [reconcileClusterStack(none), 'Ready'],
  [reconcileClusterLifecycle(none), 'Ready'],
  [reconcileBuildpack(none), 'Ready'],
  [reconcileClusterBuildpack(none), 'Ready'],
];

let tables: StateTables;
beforeAll(async () => {
  tables = await stateTables();
});
afterAll(() => tables[Symbol.asyncDispose]());

/** An object of the kind that was well, in a runner whose passes end as a test says. */
const begin = async (tells: Tells, type: string) => {
  const { kind } = tells;
  const world = fakeCluster();
  const namespace = kind.startsWith('Cluster') ? '' : 'team';
  const collection = collectionPath(kind, namespace);
  const spec = { source: {}, builder: { name: 'b' }, order: [] };
  // A Build that has ended says nothing more.
  const status = type === 'Succeeded' ? 'Unknown' : 'True';
  const conditions = [{ type, status }];
  const well = { observedGeneration: 1, latestImage: 'registry.example/app@sha256:1', conditions };
  const object = { kind, metadata: { name: 'it', namespace, generation: 1 }, spec, status: well };
  world.put(collection, object);
  const table = await tables.empty();
  let now = Date.parse('2026-11-30T10:00:00Z');
  let failure: ExpectedError | undefined;
  const reconciler: Reconciler<Reconcilable> = {
    kind,
    reconcile: async (found, pass) => {
      if (failure !== undefined) throw failure;
      await pass.writeStatus(found, well);
      return settled;
    },
    statusOnFailure: (found, why, at) => tells.statusOnFailure?.(found as never, why, at),
  };
  const run = passRunner(reconciler, {
    records: new Records(table),
    circuits: new Circuits(table),
    sender: { send: () => Promise.resolve() },
    kube: () => Promise.resolve(world.kube),
    clock: () => new Date(now),
    random: () => 0,
    log: () => undefined,
  });
  const target = { kind, namespace, name: 'it' };
  const woken: Message = {
    v: 1,
    cluster: 'one',
    epoch: 'e',
    target,
    cause: { ...target, uid: 'u', resourceVersion: '' },
    reason: 'due',
  };
  const pass = async (seconds: number, ends: ExpectedError | undefined): Promise<number> => {
    now += seconds * 1000;
    failure = ends;
    const before = world.writes().length;
    await run({ cluster: 'one', ...target }, [woken], 60);
    return world.writes().length - before;
  };
  const said = (): string => JSON.stringify(world.at(`${collection}/it`).status);
  return { pass, said };
};

const rows = kinds.map(([tells, type]) => [tells.kind, tells, type] as const);

describe.each(rows)('%s', (_kind, tells, type) => {
  it.each([
    ['500 of the API server', new KubeError('server', 'GET /x: out of order', { status: 500 })],
    ['429 of the API server', new KubeError('throttled', 'GET /x: too many', { status: 429 })],
    ['a lost answer of the API server', new KubeError('unreachable', 'GET /x: broken off')],
    ['503 of a registry', new OciError('unavailable', 'GET /v2: out of order', { status: 503 })],
    ['429 of a registry', new OciError('throttled', 'GET /v2: too many', { status: 429 })],
  ])('says nothing of %s that has passed half a minute later', async (_, failure) => {
    const { pass, said } = await begin(tells, type);
    const before = said();
    expect(await pass(0, failure)).toBe(0);
    expect(await pass(1, failure)).toBe(0);
    expect(await pass(28, failure)).toBe(0);
    expect(await pass(1, undefined)).toBe(0);
    // It has begun anew.
    expect(await pass(5, failure)).toBe(0);
    expect(await pass(29, failure)).toBe(0);
    expect(said()).toBe(before);
  });
});

/** A SourceResolver tells of the host of its source alone. */
describe.each(rows.filter(([kind]) => kind !== 'SourceResolver'))('%s', (_kind, tells, type) => {
  it('says once what has lasted for half a minute, and once that it is over', async () => {
    const { pass, said } = await begin(tells, type);
    const failure = new OciError('unavailable', 'GET /v2: out of order', { status: 503 });
    await pass(0, failure);
    expect(await pass(30, failure)).toBe(1);
    expect(said()).toContain('out of order');
    expect(await pass(30, failure)).toBe(0);
    expect(await pass(30, undefined)).toBe(1);
    expect(said()).not.toContain('out of order');
  });
});
