/**
 * Time: everything whose dueAt has come is woken through its queue, the oldest first (DESIGN §3.7). A sweep may run twice or die anywhere; what one
 * leaves, because its time was up or something failed, is due still and the first that the next one finds.
 */
import { inParallel } from '../oci/in-parallel.ts';
import { fewAtOnce } from '../queue/bulk.ts';
import { dueMessage, dueOccasion } from '../queue/message.ts';
import type { Sender } from '../queue/send.ts';
import { CLUSTER_KIND, dependentsRow, rowOf } from '../reconcile/kind-table.ts';
import type { Circuits } from '../state/circuits.ts';
import { clusterScope, dueShards, type TargetKey } from '../state/keys.ts';
import type { Due, Records } from '../state/records.ts';
import { DueInOrder, type Found } from './due-in-order.ts';

/** What a sweep needs. */
export interface SweepPorts {
  /** When somebody who was woken at `now` is due next, if that is known without his record. Unix seconds. */
  nextAt?(target: TargetKey, now: number): number | undefined;
  readonly records: Pick<Records, 'due' | 'parkDue' | 'postpone'>;
  /** Of clusters. */
  readonly circuits: Pick<Circuits, 'isDown'>;
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

/** Undefined for a kind that nobody works on. */
const queueFor = (kind: string): string | undefined => (kind === CLUSTER_KIND ? dependentsRow.name : rowOf(kind)?.name);

/**
 * Sends what is due at `now` (Unix seconds) and moves each due time on (`Records.postpone`), if it is still what was seen. What is of a cluster that is down is
 * not sent but parked behind it. A shard or a queue that fails is left alone for this sweep, and the others go on.
 */
export const sweep = async (ports: SweepPorts, now: number, hasTime: () => boolean): Promise<Swept> => {
  const { records, circuits, sender } = ports;
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
        all.map(({ due: { target, dueAt } }) => ({ ...dueMessage(target, dueOccasion(dueAt)), ...likewise })),
      );
      return all;
    } catch (error) {
      shut.add(queue);
      failed(error);
      return [];
    }
  };

  const move = async (shard: number, all: readonly Found[], how: (due: Due) => Promise<boolean>): Promise<void> => {
    tried = true;
    try {
      await inParallel(all, lanes, async (found) => void (await how(found.due)));
      worked = true;
    } catch (error) {
      due.leave(shard);
      failed(error);
    }
  };
  const moveEach = async (all: readonly Found[], how: (due: Due) => Promise<boolean>): Promise<void> => {
    await Promise.all([...Map.groupBy(all, ({ shard }) => shard)].map(([shard, group]) => move(shard, group, how)));
  };

  /** Which of the clusters are down; one of which nobody can say counts as there, and passes find out. */
  const down = async (clusters: ReadonlySet<string>): Promise<ReadonlySet<string>> => {
    const asked = [...clusters].map(async (cluster) => {
      const isDown = await circuits.isDown(clusterScope(cluster), now).catch((why: unknown) => {
        failed(why);
        return false;
      });
      return isDown ? [cluster] : [];
    });
    return new Set((await Promise.all(asked)).flat());
  };

  let count = 0;
  while (hasTime()) {
    const found = await due.take(atOnce);
    if (found.length === 0) break;
    const away = await down(new Set(found.map(({ due: { target } }) => target.cluster)));
    const {
      awake = [],
      parked = [],
      unknown = [],
    } = Object.groupBy(found, ({ due: { target } }) => {
      if (queueFor(target.kind) === undefined) return 'unknown';
      return away.has(target.cluster) && target.kind !== CLUSTER_KIND ? 'parked' : 'awake';
    });
    const sent = await Promise.all(
      [...Map.groupBy(awake, ({ due: { target } }) => queueFor(target.kind) ?? '')].map(([queue, all]) =>
        send(queue, all),
      ),
    );
    const accepted = sent.flat();
    count += accepted.length;
    // After sending: dying in between sends again, with the same deduplication id. Before would lose the wake-up.
    // What no row knows is moved too: it must not stand before others for ever.
    await moveEach([...accepted, ...unknown], (one) => records.postpone(one, now, ports.nextAt?.(one.target, now)));
    await moveEach(parked, (one) => records.parkDue(one, now));
  }
  return { sent: count, failures, isInVain: tried ? !worked : failures.length >= dueShards };
};
