/** Nothing is left behind: every item has a due time, or an end, or goes with something that has. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../../lib/embedded/database.ts';
import { dropEnded, sqliteTable } from '../../../lib/embedded/sqlite-table.ts';
import type { Message } from '../../../lib/queue/message.ts';
import { settled } from '../../../lib/reconcile/outcome.ts';
import { passRunner } from '../../../lib/reconcile/run.ts';
import { Circuits } from '../../../lib/state/circuits.ts';
import { Clusters, NotRegisteredError } from '../../../lib/state/clusters.ts';
import { Records } from '../../../lib/state/records.ts';
import { Slots } from '../../../lib/state/slots.ts';
import type { Table } from '../../../lib/state/table.ts';
import { WatchHistory } from '../../../lib/state/watch-history.ts';
import { sweep } from '../../../lib/sweeper/sweep.ts';
import { FakeKube } from '../../support/fake-kube.ts';

const key = { kind: 'Image', namespace: 'team', name: 'app' };
const target = { cluster: 'one', ...key };
const day = 86_400;

let database: ReturnType<typeof openDatabase>;
let table: Table;
beforeEach(() => {
  database = openDatabase();
  table = sqliteTable(database);
});
afterEach(() => database.close());
const items = (): number => Number(database.prepare('SELECT count(*) AS n FROM item').get()?.['n']);

describe('a cluster that was removed', () => {
  /** Passes of an Image whose cluster is registered until `removedAt`, over a week of sweeps each ten minutes. */
  const week = async (removedAt: number) => {
    const records = new Records(table);
    const kube = new FakeKube();
    kube.put({ apiVersion: 'kpack.io/v1alpha2', ...key, metadata: { namespace: 'team', name: 'app' } });
    const start = 1_700_000_000;
    let now = start;
    let passes = 0;
    const sent: Message[] = [];
    const sender = { send: async (_queue: string, messages: readonly Message[]) => void sent.push(...messages) };
    const run = passRunner(
      {
        kind: 'Image',
        reconcile: async (_object, pass) => {
          await pass.dependOn([{ kind: 'Builder', namespace: 'team', name: 'base' }]);
          return settled;
        },
      },
      {
        records,
        circuits: new Circuits(table),
        sender,
        kube: () => (now - start < removedAt ? Promise.resolve(kube) : Promise.reject(new NotRegisteredError('one'))),
        clock: () => new Date(now * 1000),
        random: () => 0,
        log: () => undefined,
      },
    );
    sent.push({
      v: 1,
      cluster: 'one',
      epoch: 'e.0',
      target: key,
      cause: { ...key, uid: 'u', resourceVersion: '' },
      reason: 'self',
    });
    for (; now < start + 7 * day; now += 600) {
      await sweep({ records, sender }, now, () => true);
      for (const message of sent.splice(0)) {
        passes += 1;
        await run(target, [message], 60);
      }
    }
    return { passes };
  };

  it('costs ten passes for each of its objects, and then nothing of them is left, edges neither', async () => {
    const { passes } = await week(600);
    expect(passes).toBeLessThanOrEqual(10);
    expect(items()).toBe(0);
  });

  it('costs a cluster that stays nothing: its objects are looked at once a day', async () => {
    const { passes } = await week(8 * day);
    expect(passes).toBeGreaterThanOrEqual(7);
    expect(items()).toBe(2);
  });

  it('is told of whole when it is registered again: how far its relay had come is forgotten', async () => {
    const history = new WatchHistory(table);
    const clusters = new Clusters(table);
    await clusters.register('one', { access: 'in-cluster' });
    const epoch = await history.epoch('one', 'kube-system');
    await history.saveCheckpoint('one', 'Image', epoch, '7');
    await clusters.register('one', { access: 'in-cluster' });
    expect(await history.checkpoint('one', 'Image', epoch)).toBe('7');
    await table.delete('registration#one', 'registration');
    await clusters.register('one', { access: 'in-cluster' });
    expect(await history.checkpoint('one', 'Image', epoch)).toBeUndefined();
    expect(await history.epoch('one', 'kube-system')).toBe(epoch);
  });
});

describe('the cap of a namespace that is gone', () => {
  it('leaves nothing a day after its last Build has ended, or has ceased to say that it waits', async () => {
    let now = 1_700_000_000;
    const slots = new Slots(table, () => new Date(now * 1000));
    const cap = { scope: { cluster: 'one', namespace: 'team' }, limit: 1 };
    const request = (name: string) => ({
      user: { cluster: 'one', namespace: 'team', name, uid: name },
      since: '2026-11-21T10:00:00Z',
    });
    await slots.take(cap, request('a'));
    expect(await slots.take(cap, request('b'))).toBeDefined();
    dropEnded(database, now + 100 * day);
    expect(items()).toBe(1);
    expect(await slots.take(cap, request('b'))).toBeDefined();
    await slots.release(cap, request('a'), () => Promise.resolve(false));
    now += day;
    expect(dropEnded(database, now)).toBe(1);
    expect(items()).toBe(0);
  });

  it('is there for as long as somebody holds a slot', async () => {
    const now = 1_700_000_000;
    const slots = new Slots(table, () => new Date(now * 1000));
    const cap = { scope: 'installation' as const, limit: 1 };
    const request = { user: { cluster: 'one', namespace: 'team', name: 'a', uid: 'a' }, since: '' };
    await slots.take(cap, request);
    await slots.release(cap, request, () => Promise.resolve(false));
    await slots.take(cap, request);
    expect(dropEnded(database, now + 100 * day)).toBe(0);
  });
});
