/** What a pass costs: calls of the store and of the queue, counted around the real runner, circuits and registrations (DESIGN §6). */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { registrations } from '../../../lib/clusters/registrations.ts';
import { openDatabase } from '../../../lib/embedded/database.ts';
import { sqliteTable } from '../../../lib/embedded/sqlite-table.ts';
import { imageReconciler } from '../../../lib/images/reconcile.ts';
import type { KubeObject } from '../../../lib/kube/object.ts';
import type { Message } from '../../../lib/queue/message.ts';
import { passRunner } from '../../../lib/reconcile/run.ts';
import { Circuits } from '../../../lib/state/circuits.ts';
import { Clusters } from '../../../lib/state/clusters.ts';
import { Records } from '../../../lib/state/records.ts';
import type { Table } from '../../../lib/state/table.ts';
import { gitSource, goodStatus, imageWorld, namespace } from '../../support/image-world.ts';

const cluster = 'one';

/** Every call of a table, as `update object`: the method, and what stands before the first `#` of the key. */
const counted = (table: Table): { readonly table: Table; readonly calls: string[] } => {
  const calls: string[] = [];
  const proxy = new Proxy(table, {
    get:
      (from, name: keyof Table) =>
      (pk: string, ...rest: readonly unknown[]) => {
        calls.push(`${name} ${pk.split('#')[0] ?? ''}`);
        return (from[name] as (...given: readonly unknown[]) => unknown)(pk, ...rest);
      },
  });
  return { table: proxy, calls };
};

let database: ReturnType<typeof openDatabase>;
beforeEach(() => {
  database = openDatabase();
});
afterEach(() => database.close());

/** The Image reconciler in its runner. Time goes on when a test says so. */
const system = async (world: ReturnType<typeof imageWorld> = imageWorld()) => {
  const { table, calls } = counted(sqliteTable(database));
  const clusters = new Clusters(table);
  await clusters.register(cluster, { access: 'in-cluster' });
  let now = Date.parse('2026-01-01T10:00:00Z');
  const clock = (): Date => new Date(now);
  const known = registrations(clusters, clock);
  const sent: (readonly Message[])[] = [];
  const run = passRunner(imageReconciler({ priorityClasses: false }), {
    records: new Records(table),
    circuits: new Circuits(table),
    sender: { send: async (_queue, messages) => void sent.push(messages) },
    kube: async (name) => {
      await known.get(name);
      return world.kube;
    },
    clock,
    random: () => 0,
    log: () => undefined,
  });
  const wake = (object: KubeObject, rest: Partial<Message> = {}): Message => {
    const { name = '', uid = '', resourceVersion = '' } = object.metadata ?? {};
    const target = { kind: object.kind ?? '', namespace, name };
    return { v: 1, cluster, epoch: 'e.0', target, cause: { ...target, uid, resourceVersion }, reason: 'self', ...rest };
  };
  /** One pass, with what it called: of the store without the two things that a process keeps, and of the queue. */
  const pass = async (message = wake(world.image())) => {
    const [before, sends] = [calls.length, sent.length];
    const result = await run({ cluster, ...message.target }, [message], 60);
    const all = calls.slice(before);
    return {
      result,
      store: all.filter((call) => !/circuit|registration/.test(call)),
      kept: all.filter((call) => /circuit|registration/.test(call)),
      sends: sent.length - sends,
    };
  };
  return { world, pass, wake, run, calls, later: (seconds: number) => (now += seconds * 1000) };
};

/** An Image whose first Build has ended well, and nothing is left to do. */
const settled = async () => {
  const s = await system();
  await s.pass();
  s.world.resolve(gitSource);
  await s.pass(s.wake(s.world.image(), { reason: 'child' }));
  s.world.finish(1, goodStatus);
  expect((await s.pass(s.wake(s.world.image(), { reason: 'child' }))).result).toBe('settled');
  await s.pass(s.wake(s.world.image(), { reason: 'due', occasion: 'due@1' }));
  return s;
};

describe('calls of the store and the queue', () => {
  it('of a first pass, which makes a child: the record, one edge, the record', async () => {
    const { world, pass } = await system();
    const made = await pass();
    expect(made.store).toStrictEqual(['get object', 'put edge', 'update object']);
    expect(made.sends).toBeLessThanOrEqual(1);
    expect(world.resolver()).toBeDefined();
  });

  it('of a later pass that makes a child: two', async () => {
    const { world, pass, wake } = await system();
    await pass();
    world.resolve(gitSource);
    const made = await pass(wake(world.image(), { reason: 'child' }));
    expect(made.store).toStrictEqual(['get object', 'update object']);
    expect(made.sends).toBeLessThanOrEqual(1);
    expect(world.builds()).toHaveLength(1);
  });

  it('of a wake-up that is skipped: one', async () => {
    const { world, pass } = await settled();
    world.kube.forget();
    expect(await pass()).toMatchObject({ result: 'skipped', store: ['get object'], kept: [], sends: 0 });
    expect(world.kube.calls).toStrictEqual([]);
  });

  it('of a pass that finds nothing to do and what it would remember remembered: one', async () => {
    const { pass, wake, world } = await settled();
    const found = await pass(wake(world.image(), { reason: 'dependency' }));
    expect(found).toMatchObject({ result: 'settled', store: ['get object'], sends: 0 });
  });

  it('of ten passes: the circuit is read once, and so is the registration', async () => {
    const { pass, wake, world } = await system();
    const kept: string[] = [];
    for (let passes = 0; passes < 10; passes += 1)
      kept.push(...(await pass(wake(world.image(), { reason: 'dependency' }))).kept);
    expect(kept).toStrictEqual(['get circuit', 'get registration']);
  });

  it('of ten passes at once: no more', async () => {
    const { run, wake, world, calls, later } = await system();
    later(60);
    const message = wake(world.image(), { reason: 'dependency' });
    const names = Array.from({ length: 10 }, (_, index) => `absent-${index}`);
    await Promise.all(names.map((name) => run({ cluster, ...message.target, name }, [message], 60)));
    expect(calls.filter((call) => /circuit|registration/.test(call))).toStrictEqual([
      // Registering, and then the passes.
      'get registration',
      'update registration',
      'get circuit',
      'get registration',
    ]);
  });
});

describe('what a settled pass leaves out, it leaves out only when', () => {
  it('the next look comes in time: who was woken by the clock was put off by the sweep, or does it himself', async () => {
    const { pass, wake, world, later } = await settled();
    const due = wake(world.image(), { reason: 'due', occasion: 'due@5' });
    expect((await pass(due)).store).toStrictEqual(['get object']);
    later(86_400);
    expect((await pass(due)).store).toStrictEqual(['get object', 'update object']);
  });

  it('the object is due soon enough: a day is not put off for ever', async () => {
    const { pass, wake, world, later } = await settled();
    const message = wake(world.image(), { reason: 'dependency' });
    later(8 * 3600);
    expect((await pass(message)).store).toStrictEqual(['get object']);
    later(2 * 3600);
    expect((await pass(message)).store).toStrictEqual(['get object', 'update object']);
  });

  it('version and epoch are those of the record: what is written down is what is skipped', async () => {
    const { pass, wake, world } = await settled();
    const restored = await pass(wake(world.image(), { reason: 'dependency', epoch: 'e.1' }));
    expect(restored.store).toStrictEqual(['get object', 'update object']);
    world.annotate(1, { 'example.com/by': 'somebody' });
    const seen = await pass(wake(world.image(), { reason: 'child', epoch: 'e.1' }));
    expect(seen.store).toStrictEqual(['get object', 'update object']);
  });

  it('no edge has to be cleared away', async () => {
    const { pass, wake, world } = await settled();
    const cause = { kind: 'Builder', namespace, name: 'left-behind', uid: 'u', resourceVersion: '3' };
    const woken = await pass(wake(world.image(), { reason: 'dependency', cause }));
    expect(woken.store).toStrictEqual(['get object', 'update object', 'delete edge', 'delete edge', 'update object']);
    // Of the builder that it has, both are known.
    const usual = { ...cause, name: 'builder-name' };
    const again = await pass(wake(world.image(), { reason: 'dependency', cause: usual }));
    expect(again.store).toStrictEqual(['get object']);
  });
});
