/** What is written, in DynamoDB's units: a due time that changes costs the index two, so it is changed as rarely as it may be (DESIGN §3.7, §6). */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../../lib/embedded/database.ts';
import { sqliteTable } from '../../../lib/embedded/sqlite-table.ts';
import type { KubeClient } from '../../../lib/kube/client.ts';
import type { Message, Reason } from '../../../lib/queue/message.ts';
import { again, type Outcome, settled } from '../../../lib/reconcile/outcome.ts';
import { passRunner } from '../../../lib/reconcile/run.ts';
import { movedPollAt, nextPollAt } from '../../../lib/sources/polling.ts';
import { Circuits } from '../../../lib/state/circuits.ts';
import { Polls } from '../../../lib/state/polls.ts';
import { Records } from '../../../lib/state/records.ts';
import { sweep } from '../../../lib/sweeper/sweep.ts';
import { countingWrites } from '../../support/write-units.ts';

let database: ReturnType<typeof openDatabase>;
beforeEach(() => {
  database = openDatabase();
});
afterEach(() => database.close());

const target = { cluster: 'one', kind: 'Image', namespace: 'team', name: 'app' };
const poll = { cluster: 'one', kind: 'GitPoll', namespace: 'team', name: 'shop' };
const pollSettings = { intervalSeconds: 300 };
const day = 86_400;

/** An Image whose passes end as is said, in a table whose writes are counted. */
const begin = () => {
  const { table, units } = countingWrites(sqliteTable(database));
  let [now, version, random] = [1_000_000, 0, 0.99];
  let outcome: Outcome = settled;
  const [records, circuits] = [new Records(table), new Circuits(table)];
  const sent: Message[] = [];
  const sender = { send: async (_queue: string, messages: readonly Message[]) => void sent.push(...messages) };
  const kube = {
    get: async () => ({ metadata: { name: 'app', namespace: 'team', resourceVersion: String(version) } }),
  } as unknown as KubeClient;
  const run = passRunner(
    { kind: 'Image', reconcile: async () => outcome },
    {
      records,
      circuits,
      sender,
      kube: async () => kube,
      clock: () => new Date(now * 1000),
      random: () => random,
      log: () => undefined,
    },
  );
  const { kind, namespace, name } = target;
  const message = (reason: Reason, occasion?: string): Message => ({
    v: 1,
    cluster: 'one',
    epoch: 'e.0',
    target: { kind, namespace, name },
    cause: { kind, namespace, name, uid: 'u', resourceVersion: String(version) },
    reason,
    ...(occasion === undefined ? {} : { occasion }),
  });
  return {
    table,
    records,
    /** Units that something costs, as `[table, index]`. */
    cost: async (what: () => Promise<unknown>): Promise<readonly number[]> => {
      const before = { ...units };
      await what();
      return [units.table - before.table, units.index - before.index];
    },
    later: (seconds: number): void => void (now += seconds),
    now: () => now,
    endsWith: (next: Outcome): void => void (outcome = next),
    /** By which the next waits are spread, in [0, 1). */
    spreads: (next: number): void => void (random = next),
    changed: () => {
      version += 1;
      return run(target, [message('self')], 60);
    },
    sweep: () =>
      sweep({ records, circuits, sender, nextAt: (due, at) => movedPollAt(due, pollSettings, at) }, now, () => true),
    answer: () => run(target, [message('due', sent.at(-1)?.occasion)], 60),
  };
};

describe('writes of a record', () => {
  it('the first puts it into the index', async () => {
    const { cost, changed } = begin();
    expect(await cost(changed)).toEqual([1, 1]);
  });

  it('further events of an object that is due in time leave its place in the index alone', async () => {
    const { cost, changed, endsWith, later } = begin();
    endsWith(again(600, 'its Build runs'));
    await changed();
    const costs = [];
    for (let event = 0; event < 4; event += 1) {
      later(60);
      costs.push(await cost(changed));
    }
    expect(costs).toEqual([
      [1, 0],
      [1, 0],
      [1, 0],
      [1, 0],
    ]);
    // Due before half of what it now wishes: it would be looked at too early.
    later(100);
    expect(await cost(changed)).toEqual([1, 2]);
  });

  it('an object that is looked at daily costs one move a day, by the sweep, and none for half a day of changes', async () => {
    const { cost, changed, later, sweep, answer, records, now, spreads } = begin();
    await changed();
    later(day / 3);
    expect(await cost(changed)).toEqual([1, 0]);
    for (const [wait, spread] of [0, 0.5, 0.99].entries()) {
      spreads(spread);
      later(wait === 0 ? (2 * day) / 3 : day);
      expect(await cost(sweep)).toEqual([1, 2]);
      later(3);
      expect(await cost(answer)).toEqual([0, 0]);
      const { dueAt = 0 } = await records.read(target);
      expect(dueAt - now()).toBeGreaterThan(day / 2);
      expect(dueAt - now()).toBeLessThanOrEqual(day);
    }
  });

  it('an unfinished one that finds nothing new when its time comes stays where the sweep has moved it', async () => {
    const { cost, changed, endsWith, later, sweep, answer, records, now } = begin();
    endsWith(again(600, 'its Build runs'));
    await changed();
    later(600);
    expect(await cost(sweep)).toEqual([1, 2]);
    later(1);
    expect(await cost(answer)).toEqual([0, 0]);
    expect((await records.read(target)).dueAt).toBe(now() + 599);
  });

  it('what was at rest and is not any more is looked at within ten minutes, also when nobody answers', async () => {
    const { changed, endsWith, later, sweep, answer, records, now } = begin();
    await changed();
    later(day);
    await sweep();
    endsWith(again(600, 'its Build runs'));
    await answer();
    expect((await records.read(target)).dueAt).toBe(now() + 600);
    later(600);
    await sweep();
    expect((await records.read(target)).dueAt).toBe(now() + 600);
  });

  it('what is gone is looked at once more ten minutes later, also when it was at rest', async () => {
    const { changed, later, sweep, records, now } = begin();
    await changed();
    await records.markGone(target, await records.read(target), now(), now() + 600);
    later(600);
    await sweep();
    expect((await records.read(target)).dueAt).toBe(now() + 600);
  });

  it('a record that an earlier version has left is moved by ten minutes, and then as it says', async () => {
    const { cost, changed, later, sweep, answer, table } = begin();
    await changed();
    await table.update('object#one#Image#team#app', 'record', { remove: ['restSeconds'] });
    later(day);
    expect(await cost(sweep)).toEqual([1, 2]);
    expect(await cost(answer)).toEqual([1, 2]);
    later(day);
    expect(await cost(sweep)).toEqual([1, 2]);
    expect(await cost(answer)).toEqual([0, 0]);
  });

  it('one that is parked behind its cluster is written once, whatever the outage lasts, and once when it is woken', async () => {
    const { cost, records, changed, now } = begin();
    await changed();
    expect(await cost(() => records.parkBehindCluster(target, 'later', now()))).toEqual([1, 2]);
    const [due] = (await records.parked('one', 'later', 10)).dues;
    if (due === undefined) throw new Error('nobody is parked');
    expect(await cost(() => records.unpark(due, 'later', now() + 600))).toEqual([1, 2]);
  });
});

describe('writes of a poll', () => {
  it('that finds nothing new: the sweep moves it to where its pass wants it', async () => {
    const { cost, table, later, now, sweep } = begin();
    const polls = new Polls(table);
    const result = () => ({
      askedAt: now(),
      attempts: 0,
      failure: undefined,
      dueAt: nextPollAt(poll, pollSettings, now()),
    });
    await polls.saveResult(poll, result());
    for (let round = 0; round < 5; round += 1) {
      later(nextPollAt(poll, pollSettings, now()) - now() + 20);
      expect(await cost(sweep)).toEqual([1, 2]);
      later(2);
      expect(await cost(() => polls.saveResult(poll, result()))).toEqual([1, 0]);
    }
  });
});
