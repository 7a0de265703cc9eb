/**
 * Slots of a cap on running builds (DESIGN §3.16): one item per scope names the holders, so that nothing can be counted wrongly, and
 * one item per waiter. A slot that gets free is handed to the next waiter in the same write, round robin by namespace, the oldest first
 * within one: nobody who comes later takes it away.
 */
import { randomUUID } from 'node:crypto';
import {
  holdersSortKey,
  type SlotScope,
  type SlotUser,
  showSlotUser,
  slotsKey,
  slotUserOf,
  waiterOf,
  waitingBehind,
  waitingOf,
  waitingPrefix,
  waitingSortKey,
} from './keys.ts';
import { type Item, StateError, type Table } from './table.ts';

/** A cap: at most `limit` holders in a scope. */
export interface Cap {
  readonly scope: SlotScope;
  readonly limit: number;
}

/** A Build that wants a slot; `since` is its creation time, RFC 3339, and its place in the queue. */
export interface SlotRequest {
  readonly user: SlotUser;
  readonly since: string;
}

/** What a waiter is told. */
export interface Place {
  readonly holders: readonly SlotUser[];
  /** Waiters of its own namespace before it, counted up to `mostCounted`. */
  readonly ahead: number;
}

/** How far a place in the queue is counted. */
export const mostCounted = 100;

/** Whether somebody still needs a slot; asked about a waiter before it gets one. */
export type IsAlive = (user: SlotUser) => Promise<boolean>;

/** Times a write is tried again because somebody else was faster. */
const tries = 20;
/** Dead waiters that one release clears away. */
const mostDead = 20;
/** Who waits says so each ten minutes; who has not for a day is gone, and so is a cap that nobody has used for so long. Seconds. */
const keptSeconds = 86_400;
/** Seconds between two looks at whether the holders still live. */
const checkSeconds = 60;

const holdersOf = (item: Item | undefined): readonly string[] => {
  const holders = item?.['holders'];
  return typeof holders === 'object' ? holders : [];
};

/** Changes with every write, so that a replaced set was certainly the one that was read. */
const version = (): { readonly version: string } => ({ version: randomUUID() });

/** The slots of all scopes. */
export class Slots {
  readonly #table: Table;
  readonly #clock: () => Date;

  constructor(table: Table, clock: () => Date) {
    this.#table = table;
    this.#clock = clock;
  }

  /** When what is written now may be dropped. */
  #endsAt(): number {
    return Math.floor(this.#clock().getTime() / 1000) + keptSeconds;
  }

  /**
   * Takes a slot in one write, or queues up. Whoever holds one already keeps it. Undefined: taken. Queuing is written before the second
   * try, so that a slot that gets free in between is not missed.
   */
  async take(cap: Cap, { user, since }: SlotRequest): Promise<Place | undefined> {
    const pk = slotsKey(cap.scope);
    const waiting = waitingSortKey(user, since);
    if (!(await this.#tryToTake(cap, user))) {
      await this.#table.put(pk, waiting, { endsAt: this.#endsAt() });
      if (!(await this.#tryToTake(cap, user))) return this.#place(cap.scope, user, waiting);
    }
    await this.#table.delete(pk, waiting);
    return undefined;
  }

  /**
   * Gives a slot back, or leaves the queue. Gives who must be woken: whom it was handed to, and who may have come meanwhile. Nothing
   * happens when it is done twice.
   */
  async release(cap: Cap, { user, since }: SlotRequest, isAlive: IsAlive): Promise<readonly SlotUser[]> {
    await this.#table.delete(slotsKey(cap.scope), waitingSortKey(user, since));
    return this.#handOver(cap, user, isAlive);
  }

  /** Takes the slot from a holder that is known to be dead; otherwise as `release`. */
  reclaim(cap: Cap, holder: SlotUser, isAlive: IsAlive): Promise<readonly SlotUser[]> {
    return this.#handOver(cap, holder, isAlive);
  }

  /** The holders, for one caller a minute: whoever gets them looks whether they live. `now` in Unix seconds. */
  async toCheck(scope: SlotScope, now: number): Promise<readonly SlotUser[]> {
    const pk = slotsKey(scope);
    const item = await this.#table.get(pk, holdersSortKey);
    const checkedAt = item?.['checkedAt'];
    const last = typeof checkedAt === 'number' ? checkedAt : undefined;
    if (last !== undefined && last + checkSeconds > now) return [];
    const mine = await this.#table.update(pk, holdersSortKey, { set: { checkedAt: now }, expect: { checkedAt: last } });
    return mine ? holdersOf(item).map(slotUserOf) : [];
  }

  #tryToTake({ scope, limit }: Cap, user: SlotUser): Promise<boolean> {
    const element = showSlotUser(user);
    return this.#table.update(slotsKey(scope), holdersSortKey, {
      set: version(),
      add: { holders: [element] },
      remove: ['endsAt'],
      room: { attribute: 'holders', below: limit, element },
    });
  }

  async #place(scope: SlotScope, user: SlotUser, waiting: string): Promise<Place> {
    const pk = slotsKey(scope);
    const item = await this.#table.get(pk, holdersSortKey);
    const { items } = await this.#table.queryPartition(pk, { limit: mostCounted, from: waitingOf(user) });
    const before = items.filter(({ sk }) => typeof sk === 'string' && sk < waiting);
    return { holders: holdersOf(item).map(slotUserOf), ahead: before.length };
  }

  async #handOver(cap: Cap, user: SlotUser, isAlive: IsAlive): Promise<readonly SlotUser[]> {
    const pk = slotsKey(cap.scope);
    const leaving = showSlotUser(user);
    for (let attempt = 0; attempt < tries; attempt += 1) {
      const item = await this.#table.get(pk, holdersSortKey);
      const holders = holdersOf(item);
      if (!holders.includes(leaving)) return [];
      const staying = holders.filter((holder) => holder !== leaving);
      const next = staying.length < cap.limit ? await this.#next(cap.scope, staying, item, isAlive) : undefined;
      const seen = item?.['version'];
      const held = next === undefined ? staying : [...staying, showSlotUser(next.user)];
      const written = await this.#table.update(pk, holdersSortKey, {
        set: {
          ...version(),
          holders: held,
          endsAt: held.length === 0 ? this.#endsAt() : undefined,
          ...(next === undefined ? {} : { turn: waitingBehind(next.user) }),
        },
        expect: { version: typeof seen === 'string' ? seen : undefined },
      });
      if (!written) continue;
      if (next !== undefined) await this.#table.delete(pk, next.sk);
      // Who queued up between our look and our write found no room and was not seen: it shall try again.
      const late = held.length < cap.limit ? await this.#next(cap.scope, held, item, isAlive) : undefined;
      return [next, late].flatMap((found) => found?.user ?? []);
    }
    throw new StateError(`the slots of ${pk} change too fast; giving one back is tried again`);
  }

  /** The first waiter of the namespace whose turn it is. Who holds a slot already or is dead leaves the queue. */
  async #next(
    scope: SlotScope,
    holders: readonly string[],
    item: Item | undefined,
    isAlive: IsAlive,
  ): Promise<{ readonly user: SlotUser; readonly sk: string } | undefined> {
    const pk = slotsKey(scope);
    const turn = item?.['turn'];
    const from = typeof turn === 'string' ? turn : waitingPrefix;
    for (let dead = 0; dead < mostDead; dead += 1) {
      const sk = (await this.#first(pk, from)) ?? (await this.#first(pk, waitingPrefix));
      const user = sk === undefined ? undefined : waiterOf(sk);
      if (sk === undefined || user === undefined) return undefined;
      if (!holders.includes(showSlotUser(user)) && (await isAlive(user))) return { user, sk };
      await this.#table.delete(pk, sk);
    }
    return undefined;
  }

  async #first(pk: string, from: string): Promise<string | undefined> {
    const { items } = await this.#table.queryPartition(pk, { limit: 1, from });
    const sk = items[0]?.['sk'];
    return typeof sk === 'string' ? sk : undefined;
  }
}
