/** A sweep that finds very much, or of which a part fails: in order of age, nothing twice, and each part for itself (DESIGN §3.7). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Message } from '../../../lib/queue/message.ts';
import { QueueError } from '../../../lib/queue/send.ts';
import { CallsAtOnce } from '../../../lib/state/calls-at-once.ts';
import { dueShardOf, dueShards, recordKey } from '../../../lib/state/keys.ts';
import { Records } from '../../../lib/state/records.ts';
import { StateError, type Table } from '../../../lib/state/table.ts';
import { sweep } from '../../../lib/sweeper/sweep.ts';
import { type StateTables, stateTables } from '../../support/state-table.ts';
import { VirtualTime } from '../../support/virtual-time.ts';

let tables: StateTables;
beforeAll(async () => {
  tables = await stateTables();
});
afterAll(() => tables[Symbol.asyncDispose]());

const targetOf = (name: string, kind = 'Image') => ({ cluster: 'one', kind, namespace: 'team', name });
const shardOf = (name: string): number => dueShardOf(recordKey(targetOf(name)));
const names = (count: number): readonly string[] => Array.from({ length: count }, (_, at) => `app-${at}`);

/** Parks each object; the later its name comes the longer it is overdue. */
const parked = async (all: readonly string[], newest = 100_000): Promise<Table> => {
  const table = await tables.empty();
  const records = new Records(table);
  for (const [at, name] of all.entries()) await records.park(targetOf(name), newest - at);
  return table;
};

/** No cluster is down. */
const circuits = { isDown: async () => false };

const collecting = () => {
  const sent: Message[] = [];
  return { sent, send: async (_queue: string, messages: readonly Message[]) => void sent.push(...messages) };
};
const failing = (table: Table, isAway: (shardOrPk: number | string) => boolean): Table => ({
  ...table,
  queryDue: async (shard, ...rest) => {
    if (isAway(shard)) throw new StateError(`shard ${shard} is away`);
    return table.queryDue(shard, ...rest);
  },
  update: async (pk, ...rest) => {
    if (isAway(pk)) throw new StateError(`${pk} is away`);
    return table.update(pk, ...rest);
  },
});

describe('a sweep', () => {
  it('wakes in order of age, in whichever shard somebody is', async () => {
    const all = names(1500);
    const sender = collecting();
    const swept = await sweep({ records: new Records(await parked(all)), circuits, sender }, 100_000, () => true);
    expect(swept).toStrictEqual({ sent: 1500, failures: [], isInVain: false });
    expect(sender.sent.map(({ target }) => target.name)).toStrictEqual(all.toReversed());
  }, 60_000);

  it('whose time is up leaves the youngest, and the next one takes them up at once; nobody is sent twice', async () => {
    const all = names(1000);
    const records = new Records(await parked(all));
    const sender = collecting();
    let looks = 0;
    const first = await sweep({ records, circuits, sender }, 100_000, () => (looks += 1) <= 3);
    const second = await sweep({ records, circuits, sender }, 100_060, () => true);
    expect([first.sent > 0, first.sent < 1000, first.sent + second.sent]).toStrictEqual([true, true, 1000]);
    expect(sender.sent.map(({ target }) => target.name)).toStrictEqual(all.toReversed());
  }, 60_000);

  it('that cannot read a shard wakes what is due in the others, and says so', async () => {
    const all = names(200);
    const table = failing(await parked(all), (shard) => shard === 3);
    const sender = collecting();
    const { failures, isInVain } = await sweep({ records: new Records(table), circuits, sender }, 100_000, () => true);
    expect(sender.sent.map(({ target }) => target.name).toSorted()).toStrictEqual(
      all.filter((name) => shardOf(name) !== 3).toSorted(),
    );
    expect(failures).toStrictEqual([new StateError('shard 3 is away')]);
    expect(isInVain).toBe(false);
  }, 60_000);

  it('that cannot move one due time leaves that shard, and goes on with the others', async () => {
    const all = names(900);
    const [bad = ''] = all.slice(-1);
    const table = failing(await parked(all), (pk) => pk === recordKey(targetOf(bad)));
    const sender = collecting();
    const { failures } = await sweep({ records: new Records(table), circuits, sender }, 100_000, () => true);
    const others = all.filter((name) => shardOf(name) !== shardOf(bad));
    expect(failures).toHaveLength(1);
    expect(new Set(sender.sent.map(({ target }) => target.name)).isSupersetOf(new Set(others))).toBe(true);
  }, 60_000);

  it('whose queue refuses wakes through the others, and what was not sent is due still', async () => {
    const table = await parked(names(30));
    const records = new Records(table);
    await records.park(targetOf('build', 'Build'), 99_000);
    const sent: string[] = [];
    const refusing = async (queue: string): Promise<void> => {
      if (queue === 'image') throw new QueueError('image is full');
      sent.push(queue);
    };
    const { failures, isInVain } = await sweep({ records, circuits, sender: { send: refusing } }, 100_000, () => true);
    expect([sent, failures, isInVain]).toStrictEqual([['build'], [new QueueError('image is full')], false]);
    expect((await sweep({ records, circuits, sender: collecting() }, 100_000, () => true)).sent).toBe(30);
  });

  it.each(['reads', 'writes'])('that finds the table away for its %s was in vain, and ends soon', async (what) => {
    let calls = 0;
    const table = failing(await parked(names(500)), (key) => {
      calls += 1;
      return (typeof key === 'number') === (what === 'reads');
    });
    const { failures, isInVain } = await sweep(
      { records: new Records(table), circuits, sender: collecting() },
      100_000,
      () => true,
    );
    expect(isInVain).toBe(true);
    expect(failures.length).toBe(dueShards);
    // Each shard stops at the first that fails: those that were under way with it are all.
    expect(calls).toBeLessThanOrEqual(dueShards * 5);
  });
});

describe('calls of one service', () => {
  it('begin their deadline when they are sent, however long they waited for their place', async () => {
    const time = new VirtualTime(0);
    const calls = new CallsAtOnce(2);
    const begun: number[] = [];
    const all = [1, 2, 3, 4, 5, 6].map(() =>
      calls.run(async () => {
        begun.push(time.now);
        await time.sleep(100);
      }),
    );
    await time.pass(1);
    await Promise.all(all);
    expect(begun).toStrictEqual([0, 0, 100, 100, 200, 200]);
  });

  it('give their place on when they fail', async () => {
    const calls = new CallsAtOnce(1);
    const all = [1, 2, 3].map((call) => calls.run(() => Promise.reject(new Error(`call ${call}`))));
    expect((await Promise.allSettled(all)).map(({ status }) => status)).toStrictEqual([
      'rejected',
      'rejected',
      'rejected',
    ]);
    expect(await calls.run(() => Promise.resolve('free'))).toBe('free');
  });
});
