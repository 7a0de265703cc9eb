/** After a gap or an outage: whom it concerns is woken once, those who failed or were parked before those who only wait for a child. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hearOfCluster } from '../../../lib/dependents/hear-of-cluster.ts';
import type { Message } from '../../../lib/queue/message.ts';
import { clusterNews } from '../../../lib/relay/pointers.ts';
import { Circuits } from '../../../lib/state/circuits.ts';
import { clusterScope } from '../../../lib/state/keys.ts';
import { Records } from '../../../lib/state/records.ts';
import { type StateTables, stateTables } from '../../support/state-table.ts';

let tables: StateTables;
beforeAll(async () => {
  tables = await stateTables();
});
afterAll(() => tables[Symbol.asyncDispose]());

const now = 1000;
const origin = { cluster: 'one', epoch: 'e.0' };
const gapOf = (...kinds: readonly string[]): readonly Message[] =>
  kinds.map((kind) => clusterNews(origin, 'gap', new Date(now * 1000), kind).message);

/** Objects with their due times, in seconds from now, and who is woken, in order. */
const begin = async (dues: Readonly<Record<string, number>>, cluster = 'one') => {
  const table = await tables.empty();
  const records = new Records(table);
  const circuits = new Circuits(table);
  const woken: string[] = [];
  for (const [shown, after] of Object.entries(dues)) {
    const [kind = '', name = ''] = shown.split(' ');
    await records.park({ cluster, kind, namespace: 'team', name }, now + after);
  }
  const ports = {
    records,
    circuits,
    sender: {
      send: async (_queue: string, messages: readonly Message[]) =>
        void woken.push(...messages.map(({ target }) => `${target.kind} ${target.name}`)),
    },
    clock: () => new Date(now * 1000),
    pause: async () => undefined,
  };
  return { ports, circuits, woken };
};

describe('after a gap in the events', () => {
  it('of pods their Builds are woken, and nobody whom pods do not concern', async () => {
    const { ports, woken } = await begin({ 'Build b': 300, 'Image i': 300, 'ClusterStore s': 300 });
    expect((await hearOfCluster(ports, 'one', 'gap', gapOf('Pod'))).woken).toBe(1);
    expect(woken).toStrictEqual(['Build b']);
  });

  it('of several kinds, heard of at once, each owner is woken once', async () => {
    const { ports, woken } = await begin({ 'Build b': 300, 'Image i': 300 });
    await hearOfCluster(ports, 'one', 'gap', gapOf('Build', 'SourceResolver', 'Pod', 'PersistentVolumeClaim'));
    expect(woken.toSorted()).toStrictEqual(['Build b', 'Image i']);
  });

  it('of a kind that nobody can name everything unfinished is woken', async () => {
    const { ports, woken } = await begin({ 'Build b': 300, 'Image i': 300 });
    await hearOfCluster(ports, 'one', 'gap', [...gapOf('Pod'), clusterNews(origin, 'gap', new Date(0)).message]);
    expect(woken.toSorted()).toStrictEqual(['Build b', 'Image i']);
  });

  it('what failed or was parked goes before what only waits, in whichever shard it is', async () => {
    const waiting = Array.from({ length: 60 }, (_, index): [string, number] => [`Image waiting-${index}`, 400]);
    const parked = Array.from({ length: 20 }, (_, index): [string, number] => [`Image parked-${index}`, index % 20]);
    const { ports, woken } = await begin(Object.fromEntries([...waiting, ...parked]));
    expect((await hearOfCluster(ports, 'one', 'gap', gapOf('Build'))).woken).toBe(80);
    expect(new Set(woken.slice(0, 20))).toStrictEqual(new Set(parked.map(([shown]) => shown)));
    expect(new Set(woken).size).toBe(80);
  });

  it('what is settled, and what is of another cluster, is left alone', async () => {
    const settled = await begin({ 'Image i': 80_000 });
    expect((await hearOfCluster(settled.ports, 'one', 'gap', gapOf('Build'))).woken).toBe(0);
    const other = await begin({ 'Image i': 10 }, 'two');
    expect((await hearOfCluster(other.ports, 'one', 'gap', gapOf('Build'))).woken).toBe(0);
  });
});

describe('after an outage', () => {
  it('who was parked is woken, however long; who only waits for a child has missed nothing', async () => {
    const { ports, circuits, woken } = await begin({ 'Image failed': 40, 'Image waiting': 500 });
    const parked = { cluster: 'one', kind: 'Image', namespace: 'team', name: 'parked' };
    await ports.records.parkBehindCluster(parked, 'later', now - 5000);
    await circuits.failed(clusterScope('one'), now, 290);
    expect((await hearOfCluster(ports, 'one', 'back', [])).woken).toBe(2);
    expect(woken.toSorted()).toStrictEqual(['Image failed', 'Image parked']);
  });

  it('who failed by what the cluster answered is woken from whatever back-off, once; who only waits is not', async () => {
    const { ports, circuits, woken } = await begin({ 'Image soon': 40, 'Image failed': 500, 'Image waiting': 500 });
    const failed = { cluster: 'one', kind: 'Image', namespace: 'team', name: 'failed' };
    const end = { resourceVersion: '1', epoch: 'e.0', attempts: 6, dueAt: now + 500, edges: undefined };
    await ports.records.finish(failed, await ports.records.read(failed), end);
    await circuits.leftBackingOff(clusterScope('one'), now - 300);
    expect((await hearOfCluster(ports, 'one', 'back', [])).woken).toBe(1);
    expect(woken).toStrictEqual(['Image soon']);
    await circuits.leftBackingOff(clusterScope('one'), now);
    expect((await hearOfCluster(ports, 'one', 'back', [])).woken).toBe(2);
    expect(woken.toSorted()).toStrictEqual(['Image failed', 'Image soon', 'Image soon']);
    expect((await hearOfCluster(ports, 'one', 'back', [])).woken).toBe(0);
  });
});
