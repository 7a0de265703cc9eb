/**
 * Time: everything whose dueAt has come is woken through its queue, the oldest first (DESIGN §3.7). A sweep may run twice or die anywhere; what one
 * leaves, because its time was up or something failed, is due still and the first that the next one finds.
 */
import { inParallel } from '../oci/in-parallel.ts';
import { fewAtOnce } from '../queue/bulk.ts';
import { dueOccasion, type Message } from '../queue/message.ts';
import type { Sender } from '../queue/send.ts';
import { queueOf, rowOf } from '../reconcile/kind-table.ts';
import { dueShards } from '../state/keys.ts';
import type { Due, Records } from '../state/records.ts';
import { DueInOrder, type Found } from './due-in-order.ts';

/** What a sweep needs. */
export interface SweepPorts {
  readonly records: Pick<Records, 'due' | 'postpone'>;
  readonly sender: Sender;
}

/** What became of a sweep. */
export interface Swept {
  readonly sent: number;
  /** Why shards or queues were left to the next sweep; empty when none was. */
  readonly failures: readonly unknown[];
  /** Nothing at all could be done. */
  readonly isInVain: boolean;
}

/** Sent, and then moved, at once: what dies in between sends so many again. */
const atOnce = 200;
/** Writes at once for one shard. */
const lanes = 4;
const postponeSeconds = 600;

const wakeUp = ({ target: { cluster, ...target }, dueAt }: Due): Message => ({
  v: 1,
  cluster,
  epoch: '',
  target,
  cause: { ...target, uid: '', resourceVersion: '' },
  reason: 'due',
  occasion: dueOccasion(dueAt),
});

/**
 * Sends what is due at `now` (Unix seconds) and moves each due time ten minutes on, if it is still what was seen. A shard or a queue that fails is left
 * alone for this sweep, and the others go on.
 */
export const sweep = async ({ records, sender }: SweepPorts, now: number, hasTime: () => boolean): Promise<Swept> => {
  const failures: unknown[] = [];
  const failed = (why: unknown): void => void failures.push(why);
  const due = new DueInOrder(records, now, failed);
  const sentTo = new Map<string, number>();
  const shut = new Set<string>();
  let [tried, worked] = [false, false];

  /** Gives those that were accepted. */
  const send = async (queue: string, all: readonly Found[]): Promise<readonly Found[]> => {
    tried = true;
    if (shut.has(queue)) return [];
    const sent = (sentTo.get(queue) ?? 0) + all.length;
    sentTo.set(queue, sent);
    // Many of one sweep are many, in however small parts they are sent.
    const likewise = sent > fewAtOnce ? { bulk: true } : {};
    try {
      await sender.send(
        queue,
        all.map((found) => ({ ...wakeUp(found.due), ...likewise })),
      );
      return all;
    } catch (error) {
      shut.add(queue);
      failed(error);
      return [];
    }
  };

  const postpone = async (shard: number, all: readonly Found[]): Promise<void> => {
    tried = true;
    try {
      await inParallel(all, lanes, async (found) => void (await records.postpone(found.due, now + postponeSeconds)));
      worked = true;
    } catch (error) {
      due.leave(shard);
      failed(error);
    }
  };

  let count = 0;
  while (hasTime()) {
    const found = await due.take(atOnce);
    if (found.length === 0) break;
    const { known = [], unknown = [] } = Object.groupBy(found, ({ due: { target } }) =>
      rowOf(target.kind) === undefined ? 'unknown' : 'known',
    );
    const sent = await Promise.all(
      [...Map.groupBy(known, ({ due: { target } }) => queueOf(target.kind))].map(([queue, all]) => send(queue, all)),
    );
    const accepted = sent.flat();
    count += accepted.length;
    // After sending: dying in between sends again, with the same deduplication id. Before would lose the wake-up.
    // What no row knows is moved too: it must not stand before others for ever.
    const moving = Map.groupBy([...accepted, ...unknown], ({ shard }) => shard);
    await Promise.all([...moving].map(([shard, all]) => postpone(shard, all)));
  }
  return { sent: count, failures, isInVain: tried ? !worked : failures.length >= dueShards };
};
