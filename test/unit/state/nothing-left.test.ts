/** Nothing is left behind: every item has a due time, or an end, or goes with something that has. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dependentsRunner } from '../../../lib/dependents/tell-dependents.ts';
import { openDatabase } from '../../../lib/embedded/database.ts';
import { dropEnded, sqliteTable } from '../../../lib/embedded/sqlite-table.ts';
import { ExpectedError } from '../../../lib/errors/expected.ts';
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
      await sweep({ records, circuits: new Circuits(table), sender }, now, () => true);
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
    const beat = { beatAt: 1, lagSeconds: 0, notWatched: [] };
    await history.save('one', epoch, new Map([['Image', '7']]), beat);
    await clusters.register('one', { access: 'in-cluster' });
    expect((await history.checkpoints('one', epoch)).get('Image')).toBe('7');
    await table.delete('registration#one', 'registration');
    await clusters.register('one', { access: 'in-cluster' });
    expect((await history.checkpoints('one', epoch)).get('Image')).toBeUndefined();
    expect(await history.epoch('one', 'kube-system')).not.toBe(epoch);
    expect(await history.save('one', epoch, new Map([['Image', '8']]), beat)).toBe(false);
  });
});

describe('an object of a cluster that is not registered for a moment', () => {
  /** A runner whose cluster is registered or not, and whose passes fail or not. */
  const begin = () => {
    const records = new Records(table);
    const kube = new FakeKube();
    kube.put({ apiVersion: 'kpack.io/v1alpha2', ...key, metadata: { namespace: 'team', name: 'app' } });
    const world = { now: 1_700_000_000, isRegistered: true, fails: false };
    const run = passRunner(
      {
        kind: 'Image',
        reconcile: async (_object, pass) => {
          await pass.dependOn([{ kind: 'Builder', namespace: 'team', name: 'base' }]);
          if (world.fails) throw new ExpectedError('the registry is away');
          return settled;
        },
      },
      {
        records,
        circuits: new Circuits(table),
        sender: { send: async () => undefined },
        kube: () => (world.isRegistered ? Promise.resolve(kube) : Promise.reject(new NotRegisteredError('one'))),
        clock: () => new Date(world.now * 1000),
        random: () => 0,
        log: () => undefined,
      },
    );
    const cause = { ...key, uid: 'u', resourceVersion: '' };
    return {
      world,
      records,
      wake: () => run(target, [{ v: 1, cluster: 'one', epoch: 'e.0', target: key, cause, reason: 'self' }], 60),
    };
  };

  it('is not forgotten, however often it has failed before for other reasons', async () => {
    const { world, records, wake } = begin();
    world.fails = true;
    for (let failures = 0; failures < 20; failures += 1, world.now += 600) await wake();
    world.isRegistered = false;
    expect(await wake()).toBe('unregistered');
    expect((await records.read(target)).dueAt).toBeDefined();
    expect(items()).toBe(2);
  });

  it('nor however many events wake it meanwhile, and is then as it was', async () => {
    const { world, records, wake } = begin();
    await wake();
    world.isRegistered = false;
    for (let events = 0; events < 50; events += 1, world.now += 1) await wake();
    expect(items()).toBe(2);
    world.isRegistered = true;
    expect(await wake()).toBe('settled');
    expect(await records.read(target)).toMatchObject({ attempts: 0, unregisteredAt: undefined });
  });
});

describe('what dependents were told of', () => {
  const account = { kind: 'ServiceAccount', namespace: 'team', name: 'default' };
  /** An account that an Image depends on, whose dependents were told. */
  const begin = async () => {
    const records = new Records(table);
    const kube = new FakeKube();
    kube.put({ apiVersion: 'v1', ...account, metadata: { namespace: 'team', name: 'default' } });
    await records.addEdges(target, await records.read(target), [account]);
    const world = { now: 1_700_000_000, isRegistered: true };
    const sent: Message[] = [];
    const sender = {
      send: async (queue: string, messages: readonly Message[]) =>
        void (queue === 'dependents' && sent.push(...messages)),
    };
    const run = dependentsRunner({
      records,
      circuits: new Circuits(table),
      sender,
      kube: () => (world.isRegistered ? Promise.resolve(kube) : Promise.reject(new NotRegisteredError('one'))),
      pause: () => Promise.resolve(),
      clock: () => new Date(world.now * 1000),
      random: () => 0,
      log: () => undefined,
    });
    const wake = (resourceVersion: string) => {
      const cause = { ...account, uid: 'u', resourceVersion };
      const message = { v: 1, cluster: 'one', epoch: 'e.0', target: account, cause, reason: 'self' } as const;
      return run({ cluster: 'one', ...account }, [message], 60);
    };
    expect(await wake('5')).toBe('told');
    /** Sweeps each ten minutes for a week. Gives the tellings. */
    const week = async (): Promise<number> => {
      let tellings = 0;
      for (const end = world.now + 7 * day; world.now < end; world.now += 600) {
        await sweep({ records, circuits: new Circuits(table), sender }, world.now, () => true);
        for (const message of sent.splice(0)) {
          tellings += 1;
          await run({ cluster: 'one', ...message.target }, [message], 60);
        }
      }
      return tellings;
    };
    return { world, wake, week };
  };

  it('is told ten times more when the cluster was removed, and then nothing is left of it', async () => {
    const { world, wake, week } = await begin();
    world.isRegistered = false;
    await wake('6');
    expect(await week()).toBeLessThanOrEqual(10);
    await table.delete('edge#one#ServiceAccount#team#default', 'Image#team#app');
    dropEnded(database, world.now + 30 * day);
    expect(items()).toBe(0);
  });

  it('is not forgotten in a minute without a registration', async () => {
    const { world, wake, week } = await begin();
    world.isRegistered = false;
    for (let events = 6; events < 30; events += 1) await wake(String(events));
    world.isRegistered = true;
    expect(await week()).toBe(1);
  });

  it('of an object with passes goes with its record, and has no end of its own', async () => {
    const records = new Records(table);
    await records.beginFan(target, 'hash');
    await records.finishFan(target, 'hash', '7');
    expect(dropEnded(database, 4_000_000_000)).toBe(0);
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
