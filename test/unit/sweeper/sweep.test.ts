/** The sweeper wakes everything that is due, however much, and nothing stands in its way (DESIGN §3.7). */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Message } from '../../../lib/queue/message.ts';
import { dueShardOf, recordKey } from '../../../lib/state/keys.ts';
import { Records } from '../../../lib/state/records.ts';
import { sweep } from '../../../lib/sweeper/sweep.ts';
import { type StateTables, stateTables } from '../../support/state-table.ts';

let tables: StateTables;
beforeAll(async () => {
  tables = await stateTables();
});
afterAll(() => tables[Symbol.asyncDispose]());

/** So many names whose records share a shard: more than 200 are more than a page. */
const ofOneShard = (count: number, kind = 'Image'): readonly string[] => {
  const names: string[] = [];
  for (let index = 0; names.length < count; index += 1) {
    const name = `app-${index}`;
    if (dueShardOf(recordKey({ cluster: 'one', kind, namespace: 'team', name })) === 0) names.push(name);
  }
  return names;
};

const world = async (names: readonly string[], kind = 'Image', dueAt = 100) => {
  const records = new Records(await tables.empty());
  const sent: { readonly queue: string; readonly message: Message }[] = [];
  const sender = {
    send: async (queue: string, messages: readonly Message[]) =>
      void sent.push(...messages.map((message) => ({ queue, message }))),
  };
  const park = (all: readonly string[], as: string, at: number): Promise<unknown> =>
    Promise.all(all.map((name) => records.park({ cluster: 'one', kind: as, namespace: 'team', name }, at)));
  await park(names, kind, dueAt);
  return {
    records,
    sent,
    park,
    sweep: async (now: number, hasTime = () => true) =>
      (await sweep({ records, circuits: { isDown: async () => false }, sender }, now, hasTime)).sent,
  };
};

it('wakes what is due, each through the queue of its kind, and leaves the rest', async () => {
  const { sent, park, sweep } = await world(['a']);
  await park(['b'], 'Build', 100);
  await park(['later'], 'Image', 101);
  expect(await sweep(100)).toBe(2);
  expect(sent.map(({ queue, message }) => `${queue} ${message.target.name}`).toSorted()).toStrictEqual([
    'build b',
    'image a',
  ]);
});

it('moves each due time ten minutes on, so that it is not sent each second', async () => {
  const { sweep } = await world(['a']);
  expect(await sweep(100)).toBe(1);
  expect(await sweep(699)).toBe(0);
  expect(await sweep(700)).toBe(1);
});

it('many pages of a shard are worked off in one sweep', async () => {
  const names = ofOneShard(450);
  const { sweep, sent } = await world(names);
  expect(await sweep(100)).toBe(names.length);
  expect(new Set(sent.map(({ message }) => message.target.name)).size).toBe(names.length);
}, 30_000);

it('records of a kind that this version does not know do not block others', async () => {
  const names = ofOneShard(250, 'Forgotten');
  const { park, sweep, sent } = await world(names, 'Forgotten', 50);
  const [name = ''] = ofOneShard(1);
  await park([name], 'Image', 100);
  await sweep(100);
  expect(sent.map(({ message }) => message.target.name)).toStrictEqual([name]);
}, 30_000);

it('stops when its time is up; the rest is due still', async () => {
  const { sweep } = await world(['a']);
  expect(await sweep(100, () => false)).toBe(0);
  expect(await sweep(100)).toBe(1);
});
