/** Machines whose clocks disagree: what is due comes late by what they disagree, and no more often (DESIGN §3.7). */
import { describe, expect, it } from 'vitest';
import { openDatabase } from '../../../lib/embedded/database.ts';
import { sqliteTable } from '../../../lib/embedded/sqlite-table.ts';
import type { Message } from '../../../lib/queue/message.ts';
import { freshDueAt } from '../../../lib/reconcile/due.ts';
import { again } from '../../../lib/reconcile/outcome.ts';
import { passRunner } from '../../../lib/reconcile/run.ts';
import { Circuits } from '../../../lib/state/circuits.ts';
import { Records } from '../../../lib/state/records.ts';
import { sweep } from '../../../lib/sweeper/sweep.ts';
import { FakeKube } from '../../support/fake-kube.ts';

const key = { kind: 'Image', namespace: 'team', name: 'app' };
const target = { cluster: 'one', ...key };
const hour = 3600;

/** Passes in an hour of an object that wants to be looked at each `every` seconds; `ahead` of true time are the clocks, the sweeper comes each minute. */
const passesInAnHour = async (
  every: number,
  ahead: { readonly sweeper: number; readonly pass: (n: number) => number },
) => {
  const database = openDatabase();
  const table = sqliteTable(database);
  const records = new Records(table);
  const kube = new FakeKube();
  kube.put({ apiVersion: 'kpack.io/v1alpha2', kind: 'Image', metadata: { namespace: 'team', name: 'app' } });
  let now = 1_700_000_000;
  let passes = 0;
  const sent: Message[] = [];
  const sender = { send: async (_queue: string, messages: readonly Message[]) => void sent.push(...messages) };
  const run = passRunner(
    { kind: 'Image', reconcile: () => Promise.resolve(again(every, 'it is to be looked at')) },
    {
      records,
      circuits: new Circuits(table),
      sender,
      kube: () => Promise.resolve(kube),
      clock: () => new Date((now + ahead.pass(passes)) * 1000),
      random: () => 0,
      log: () => undefined,
    },
  );
  const cause = { ...key, uid: 'u', resourceVersion: '' };
  sent.push({ v: 1, cluster: 'one', epoch: 'e.0', target: key, cause, reason: 'self' });
  for (const end = now + hour; now < end; now += 60) {
    await sweep({ records, circuits: new Circuits(table), sender }, now + ahead.sweeper, () => true);
    const messages = sent.splice(0);
    if (messages.length === 0) continue;
    await run(target, messages, 60);
    passes += 1;
  }
  database.close();
  return passes;
};

describe('clocks that disagree', () => {
  it.each([
    ['agree', 0, 0],
    ['have a sweeper ten minutes ahead', 600, 0],
    ['have a sweeper ten minutes behind', -600, 0],
    ['have functions ten minutes ahead', 0, 600],
    ['have functions ten minutes behind', 0, -600],
  ])('that %s cost no passes beyond those that were wished for', async (_, sweeper, pass) => {
    for (const every of [60, 300, 600]) {
      const passes = await passesInAnHour(every, { sweeper, pass: () => pass });
      expect(passes).toBeLessThanOrEqual(hour / every + 3);
      // Each may be late by what they disagree, and by a sweep.
      expect(passes).toBeGreaterThanOrEqual(hour / (every + 600 + 60) - 1);
    }
  });

  it('of functions of which each second one is ten minutes behind cost a pass more each time at most', async () => {
    const passes = await passesInAnHour(300, { sweeper: 0, pass: (n) => (n % 2 === 0 ? -600 : 0) });
    expect(passes).toBeLessThanOrEqual(2 * (hour / 300) + 3);
  });

  it('of a function that jumps back by an hour cost no more than that lateness', async () => {
    const passes = await passesInAnHour(300, { sweeper: 0, pass: (n) => (n > 3 ? -3600 : 0) });
    expect(passes).toBeLessThanOrEqual(hour / 300 + 12);
    expect(passes).toBeGreaterThanOrEqual(4);
  });

  it('are believed to disagree by an hour at most', () => {
    expect(freshDueAt(1000, 10, [{ occasion: 'due@1000' }])).toBe(1010);
    expect(freshDueAt(1000, 10, [{ occasion: 'due@1600' }])).toBe(1610);
    expect(freshDueAt(1000, 10, [{ occasion: 'due@9999999' }])).toBe(4610);
    expect(freshDueAt(1000, 10, [{ occasion: 'gap@9999999' }, { occasion: 'due@now' }])).toBe(1010);
  });
});
