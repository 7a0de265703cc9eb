/** Slots of the cap on running builds, each test named after what would be lost without it (DESIGN §3.16). */
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { holdersSortKey, type SlotUser, slotsKey, waiterOf, waitingSortKey } from '../../../lib/state/keys.ts';
import { type Cap, type IsAlive, Slots } from '../../../lib/state/slots.ts';
import { type StateTables, stateTables } from '../../support/state-table.ts';

let tables: StateTables;
beforeAll(async () => {
  tables = await stateTables();
});
afterAll(() => tables[Symbol.asyncDispose]());

const userOf = (name: string, namespace = 'team'): SlotUser => ({ cluster: 'c', namespace, name, uid: `uid-${name}` });
const request = (name: string, namespace?: string) => ({
  user: userOf(name, namespace),
  since: '2026-11-21T08:00:00Z',
});
const alive = (): Promise<boolean> => Promise.resolve(true);
const names = (users: readonly SlotUser[]): readonly string[] => users.map(({ name }) => name);

const opened = async (limit = 1) => {
  const table = await tables.empty();
  const slots = new Slots(table, () => new Date());
  const cap: Cap = { scope: 'installation', limit };
  const items = async () => (await table.queryPartition(slotsKey(cap.scope), { limit: 100 })).items;
  return {
    slots,
    cap,
    table,
    take: (name: string, namespace?: string) => slots.take(cap, request(name, namespace)),
    release: (name: string, namespace?: string, isAlive: IsAlive = alive) =>
      slots.release(cap, request(name, namespace), isAlive),
    holders: async () => ((await items())[0]?.['holders'] ?? []) as readonly string[],
    waiters: async () => (await items()).flatMap(({ sk }) => waiterOf(String(sk)) ?? []),
  };
};

describe('slots', () => {
  it('are taken in one write, and keeping one costs no second', async () => {
    const { take, holders, waiters } = await opened(2);
    expect([await take('a'), await take('a'), await take('b')]).toEqual([undefined, undefined, undefined]);
    expect(await holders()).toHaveLength(2);
    expect(await waiters()).toEqual([]);
  });

  it('are never handed out twice to two who take at once', async () => {
    const { take, holders, waiters } = await opened(3);
    const taken = await Promise.all(Array.from({ length: 12 }, (_, n) => take(`b${n}`)));
    expect(taken.filter((place) => place === undefined)).toHaveLength(3);
    expect([await holders(), await waiters()].map(({ length }) => length)).toEqual([3, 9]);
  });

  it('say who holds them and how many wait before', async () => {
    const { slots, cap, take } = await opened();
    await take('a');
    await slots.take(cap, { user: userOf('late'), since: '2026-11-21T08:00:01Z' });
    await slots.take(cap, { user: userOf('other', 'another'), since: '2026-11-21T07:00:00Z' });
    const place = await slots.take(cap, { user: userOf('last'), since: '2026-11-21T08:00:02Z' });
    expect(place).toEqual({ holders: [userOf('a')], ahead: 1 });
  });

  it('are handed to the oldest waiter in the write that frees them, so that nobody is overtaken', async () => {
    const { slots, cap, take, release, holders } = await opened();
    await take('a');
    await slots.take(cap, { user: userOf('young'), since: '2026-11-21T09:00:00Z' });
    await slots.take(cap, { user: userOf('old'), since: '2026-11-21T07:00:00Z' });
    expect(names(await release('a'))).toEqual(['old']);
    expect(await take('newcomer')).toBeDefined();
    expect(await holders()).toEqual(['c#team#old#uid-old']);
  });

  it('go round robin by namespace, however many one of them queues', async () => {
    const { take, release } = await opened();
    await take('first', 'm');
    for (const name of ['a1', 'a2', 'a3']) await take(name, 'a');
    for (const name of ['a-b1']) await take(name, 'a-b');
    for (const name of ['z1', 'z2']) await take(name, 'z');
    const order: string[] = [];
    let holder: SlotUser | undefined = userOf('first', 'm');
    while (holder !== undefined) {
      [holder] = await release(holder.name, holder.namespace);
      if (holder !== undefined) order.push(holder.name);
    }
    expect(order).toEqual(['a1', 'a-b1', 'z1', 'a2', 'z2', 'a3']);
  });

  it('given back twice are given back once', async () => {
    const { take, release, holders } = await opened();
    await take('a');
    await take('b');
    await take('c');
    expect(names(await release('a'))).toEqual(['b']);
    expect(await release('a')).toEqual([]);
    expect(await holders()).toEqual(['c#team#b#uid-b']);
  });

  it('pass over a waiter that was deleted', async () => {
    const { take, release, waiters } = await opened();
    await take('a');
    await take('b');
    await take('c');
    const isAlive = ({ name }: SlotUser): Promise<boolean> => Promise.resolve(name !== 'b');
    expect(names(await release('a', 'team', isAlive))).toEqual(['c']);
    expect(await waiters()).toEqual([]);
  });

  it('of a holder that died go to the next waiter once somebody found out, and one caller a minute looks', async () => {
    const { slots, cap, take, holders } = await opened();
    await take('dead');
    await take('b');
    expect(names(await slots.toCheck(cap.scope, 1000))).toEqual(['dead']);
    expect(await slots.toCheck(cap.scope, 1059)).toEqual([]);
    expect(names(await slots.toCheck(cap.scope, 1060))).toEqual(['dead']);
    expect(names(await slots.reclaim(cap, userOf('dead'), alive))).toEqual(['b']);
    expect(await holders()).toEqual(['c#team#b#uid-b']);
  });

  it('are not handed on when the hand-over was written but the queue not yet cleared', async () => {
    const { slots, cap, table, take, release, waiters } = await opened(2);
    await take('a');
    await take('b');
    // As left by a pass that died between its two writes: b holds a slot and is still in the queue.
    await table.put(slotsKey(cap.scope), waitingSortKey(userOf('b'), '2026-11-21T06:00:00Z'));
    await take('c');
    expect(names(await release('a'))).toEqual(['c']);
    expect(await waiters()).toEqual([]);
    expect(await slots.take(cap, request('b'))).toBeUndefined();
  });

  it('that get free while somebody queues up wake it', async () => {
    const { slots, cap, table, take, release } = await opened();
    await take('a');
    let first = true;
    const lateArrival = async (): Promise<boolean> => {
      // While the first waiter is asked about and found dead, another one queues up behind the look.
      if (first) await table.put(slotsKey(cap.scope), waitingSortKey(userOf('aaa'), '2026-11-21T01:00:00Z'));
      const was = first;
      first = false;
      return !was;
    };
    await take('b');
    expect(names(await release('a', 'team', lateArrival))).toEqual(['aaa']);
    expect(await slots.take(cap, request('aaa'))).toBeUndefined();
  });

  it('above a lowered limit are not handed on', async () => {
    const { slots, take, release, holders } = await opened(3);
    for (const name of ['a', 'b', 'c', 'd']) await take(name);
    const lower: Cap = { scope: 'installation', limit: 1 };
    expect(await slots.release(lower, request('a'), alive)).toEqual([]);
    expect(await holders()).toHaveLength(2);
    expect(names(await slots.release(lower, request('b'), alive))).toEqual([]);
    expect(names(await release('c'))).toEqual(['d']);
  });

  it('leave nothing but one item behind', async () => {
    const { cap, table, take, release } = await opened();
    await take('a');
    await release('a');
    const { items } = await table.queryPartition(slotsKey(cap.scope), { limit: 10 });
    expect(items.map(({ sk }) => sk)).toEqual([holdersSortKey]);
    expect(items[0]).not.toHaveProperty('holders');
  });
});

describe('slots in any order of events', () => {
  /** What a run is made of: a Build that starts, one of the running ones that ends or dies, a wake-up that gets lost. */
  const step = fc.record({
    act: fc.constantFrom('start', 'start', 'end', 'end', 'die', 'end-and-lose-the-wake-up'),
    which: fc.nat(1000),
    namespace: fc.constantFrom('a', 'b', 'c'),
  });

  it('are never more than the limit, and everybody who waits gets one in the end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 3 }), fc.array(step, { maxLength: 25 }), async (limit, steps) => {
        const { slots, cap, holders } = await opened(limit);
        const running = new Map<string, SlotUser>();
        const waiting = new Map<string, SlotUser>();
        const dead = new Set<string>();
        const isAlive = ({ uid }: SlotUser): Promise<boolean> => Promise.resolve(!dead.has(uid));
        const requestOf = (user: SlotUser) => ({ user, since: '2026-11-21T08:00:00Z' });
        const tryStart = async (user: SlotUser): Promise<void> => {
          if (running.has(user.uid)) return;
          const place = await slots.take(cap, requestOf(user));
          (place === undefined ? running : waiting).set(user.uid, user);
          if (place === undefined) waiting.delete(user.uid);
          expect(running.size).toBeLessThanOrEqual(limit);
          expect((await holders()).length).toBeLessThanOrEqual(limit);
        };
        const end = async (user: SlotUser, isWakeLost: boolean): Promise<void> => {
          running.delete(user.uid);
          const woken = await slots.release(cap, requestOf(user), isAlive);
          if (!isWakeLost) for (const next of woken) await tryStart(next);
        };
        let now = 0;
        const look = async (): Promise<void> => {
          now += 60;
          for (const holder of await slots.toCheck(cap.scope, now))
            if (dead.has(holder.uid))
              for (const next of await slots.reclaim(cap, holder, isAlive)) await tryStart(next);
        };
        for (const [index, { act, which, namespace }] of steps.entries()) {
          const chosen = [...running.values()][which % Math.max(1, running.size)];
          if (act === 'start') await tryStart(userOf(`n${index}`, namespace));
          else if (chosen !== undefined && act === 'die') {
            dead.add(chosen.uid);
            running.delete(chosen.uid);
          } else if (chosen !== undefined) await end(chosen, act === 'end-and-lose-the-wake-up');
        }
        // Every waiter looks again when it is due, and finds slots of the dead.
        for (let round = 0; waiting.size > 0; round += 1) {
          expect(round).toBeLessThan(60);
          await look();
          for (const user of waiting.values()) await tryStart(user);
          for (const user of running.values()) await end(user, false);
        }
        for (const user of running.values()) await end(user, false);
        await look();
        expect(await holders()).toEqual([]);
      }),
      { numRuns: 12 },
    );
  }, 60_000);
});
