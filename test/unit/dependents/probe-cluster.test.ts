/** A cluster that is down costs one probe: what waits for it hangs on it, and has no due time of its own (DESIGN §3.14). */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { probeCluster } from '../../../lib/dependents/probe-cluster.ts';
import { openDatabase } from '../../../lib/embedded/database.ts';
import { sqliteTable } from '../../../lib/embedded/sqlite-table.ts';
import { KubeError } from '../../../lib/kube/errors.ts';
import type { Message } from '../../../lib/queue/message.ts';
import { Circuits } from '../../../lib/state/circuits.ts';
import { NotRegisteredError } from '../../../lib/state/clusters.ts';
import { clusterScope, dueShards, probeOf } from '../../../lib/state/keys.ts';
import { Polls } from '../../../lib/state/polls.ts';
import { Records } from '../../../lib/state/records.ts';
import { sweep } from '../../../lib/sweeper/sweep.ts';

let database: ReturnType<typeof openDatabase>;
beforeEach(() => {
  database = openDatabase();
});
afterEach(() => database.close());

const one = clusterScope('one');
const image = (name: string, cluster = 'one') => ({ cluster, kind: 'Image', namespace: 'team', name });
const refused = new KubeError('unreachable', 'cannot reach the API server');

/** A cluster that fails by `failure`, or answers, at 1000 s; a sweep and a probe are processes of their own. */
const begin = (start: Error | 'answers' = refused) => {
  const table = sqliteTable(database);
  const [records, circuits] = [new Records(table), new Circuits(table)];
  let now = 1000;
  let failure = start;
  let asked = 0;
  const sent: Message[] = [];
  const send = async (_queue: string, messages: readonly Message[]): Promise<void> => void sent.push(...messages);
  const sweeperCircuits = new Circuits(table);
  const ports = {
    records,
    circuits,
    sender: { send },
    clock: () => new Date(now * 1000),
    pause: async (milliseconds: number) => void (now += milliseconds / 1000),
    log: () => undefined,
    kube: async () => ({
      get: async () => {
        asked += 1;
        if (failure !== 'answers') throw failure;
        return undefined;
      },
    }),
  };
  const duesNow = async (): Promise<readonly string[]> =>
    (await Promise.all(Array.from({ length: dueShards }, (_, shard) => records.due(shard, now, 100))))
      .flat()
      .map(({ target }) => target.name);
  return {
    table,
    records,
    circuits,
    sent,
    duesNow,
    now: () => now,
    asked: () => asked,
    later: (seconds: number) => void (now += seconds),
    failWith: (error: Error | 'answers') => void (failure = error),
    sweep: () => sweep({ records, circuits: sweeperCircuits, sender: { send } }, now, () => true),
    probe: (signal = new AbortController().signal) => probeCluster(ports, 'one', signal),
  };
};
const names = (messages: readonly Message[]): readonly string[] => messages.map(({ target }) => target.name);

describe('a cluster that is down', () => {
  it('is one due item: what is due for it is parked by the sweep without a message, and comes no more', async () => {
    const world = begin();
    await world.circuits.failed(one, 1000);
    for (const name of ['a', 'b', 'c']) await world.records.park(image(name), 1001);
    await world.records.park(image('other', 'two'), 1001);
    world.later(5);
    expect(await world.sweep()).toMatchObject({ sent: 2, failures: [] });
    expect(names(world.sent).toSorted()).toStrictEqual(['other', 'probe']);
    for (let probe = 0; probe < 20; probe += 1) {
      expect(await world.probe()).toBe('down');
      world.later(300);
      world.sent.splice(0);
      await world.sweep();
      expect(names(world.sent.filter(({ cluster }) => cluster === 'one'))).toStrictEqual(['probe']);
    }
    expect(world.asked()).toBe(20);
  });

  it('is asked again when its circuit says, not before, though a probe came too early', async () => {
    const world = begin();
    await world.circuits.failed(one, 1000, 200);
    expect(await world.probe()).toBe('open');
    expect(world.asked()).toBe(0);
    world.later(199);
    expect(await world.duesNow()).toStrictEqual([]);
    world.later(1);
    expect(await world.duesNow()).toStrictEqual(['probe']);
  });

  it('is probed again though the process that probed it died', async () => {
    const world = begin();
    await world.circuits.failed(one, 1000);
    world.later(2);
    await world.sweep();
    await world.circuits.admit(one, world.now());
    world.later(31);
    expect(await world.sweep()).toMatchObject({ sent: 1 });
    expect(await world.probe()).toBe('down');
  });
});

describe('a cluster that answers a probe', () => {
  it.each([
    ['as one that has what it was asked for not', 'answers'] as const,
    ['with a refusal', new KubeError('forbidden', 'no', { status: 403, pace: 'slow' })],
    ['no more, as it was removed', new NotRegisteredError('one')],
  ])('%s has all woken, whom somebody woke by doing something before what only looked again', async (_, answer) => {
    const world = begin(answer);
    await world.circuits.failed(one, 1000);
    await world.records.parkBehindCluster(image('resync'), 'later', 1000);
    await world.records.parkBehindCluster(image('edited'), 'first', 1001);
    await new Polls(world.table).park({ ...image('poll'), kind: 'GitPoll' }, 1001, false);
    world.later(5);
    expect(await world.probe()).toStrictEqual({ woken: 3, areAll: true });
    expect(names(world.sent)).toStrictEqual(['edited', 'resync', 'poll']);
    expect(world.sent.every(({ bulk }) => bulk === true)).toBe(true);
    expect(await world.circuits.admit(one, world.now())).toStrictEqual({ admitted: true });
  });

  it('has them woken at a bounded rate, and each once', async () => {
    const world = begin('answers');
    await world.circuits.failed(one, 1000);
    for (let at = 0; at < 1000; at += 1) await world.records.parkBehindCluster(image(`app-${at}`), 'later', at);
    world.later(5);
    const began = world.now();
    expect(await world.probe()).toStrictEqual({ woken: 1000, areAll: true });
    expect(1000 / (world.now() - began)).toBeLessThanOrEqual(51);
    expect(new Set(names(world.sent)).size).toBe(1000);
    world.sent.splice(0);
    world.later(60);
    await world.sweep();
    expect(names(world.sent)).toStrictEqual([]);
  });

  it('goes on with those whom there was no time for, by its due time', async () => {
    const world = begin('answers');
    await world.circuits.failed(one, 1000);
    for (let at = 0; at < 10; at += 1) await world.records.parkBehindCluster(image(`app-${at}`), 'later', at);
    world.later(5);
    expect(await world.probe(AbortSignal.abort())).toStrictEqual({ woken: 0, areAll: false });
    world.later(5);
    await world.sweep();
    expect(names(world.sent)).toStrictEqual(['probe']);
    expect(await world.probe()).toStrictEqual({ woken: 10, areAll: true });
  });

  it('leaves nobody behind who was parked when he still believed that it was down, and then nothing of itself', async () => {
    const world = begin('answers');
    await world.circuits.failed(one, 1000);
    world.later(5);
    await world.probe();
    await world.records.parkBehindCluster(image('late'), 'first', world.now());
    world.later(121);
    await world.sweep();
    expect(names(world.sent)).toStrictEqual([probeOf('one').name]);
    expect(await world.probe()).toStrictEqual({ woken: 1, areAll: true });
    world.later(60);
    await world.sweep();
    expect(names(world.sent)).toStrictEqual(['probe', 'late']);
    expect(await world.table.get('circuit#cluster/one', 'circuit')).toBeUndefined();
  });

  it('that goes down again while they are woken keeps those who are parked anew', async () => {
    const world = begin('answers');
    await world.circuits.failed(one, 1000);
    await world.records.parkBehindCluster(image('a'), 'first', 1000);
    world.later(5);
    await world.probe();
    world.failWith(refused);
    await world.circuits.failed(one, world.now());
    await world.records.parkBehindCluster(image('a'), 'first', world.now());
    world.later(10);
    await world.sweep();
    expect(await world.probe()).toBe('down');
    world.failWith('answers');
    world.later(10);
    world.sent.splice(0);
    await world.sweep();
    await world.probe();
    expect(names(world.sent)).toStrictEqual(['probe', 'a']);
  });
});
