/** Time: everything whose dueAt has come is woken through its queue (DESIGN §3.7). A sweep may run twice or die anywhere. */
import { dueOccasion, type Message } from '../queue/message.ts';
import type { Sender } from '../queue/send.ts';
import { queueOf, rowOf } from '../reconcile/kind-table.ts';
import { dueShards } from '../state/keys.ts';
import type { Due, Records } from '../state/records.ts';

/** What a sweep needs. */
export interface SweepPorts {
  readonly records: Records;
  readonly sender: Sender;
}

const pageSize = 200;
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

/** Sends what is due at `now` (Unix seconds) and moves each due time ten minutes on, if it is still what was seen. Gives the number sent. */
export const sweep = async ({ records, sender }: SweepPorts, now: number, hasTime: () => boolean): Promise<number> => {
  const sweepShard = async (shard: number): Promise<number> => {
    let sent = 0;
    while (hasTime()) {
      const page = await records.due(shard, now, pageSize);
      const known = page.filter(({ target }) => rowOf(target.kind) !== undefined);
      for (const [queue, dues] of Map.groupBy(known, ({ target }) => queueOf(target.kind)))
        await sender.send(queue, dues.map(wakeUp));
      // After sending: dying in between sends again, with the same deduplication id. Before would lose the wake-up.
      // What no row knows is moved too: it must not stand before others for ever.
      const moved = await Promise.all(page.map((due) => records.postpone(due, now + postponeSeconds)));
      sent += known.length;
      // The index may lag and show the same page again: stop when nothing moved.
      if (page.length < pageSize || !moved.includes(true)) return sent;
    }
    return sent;
  };
  const counts = await Promise.all(Array.from({ length: dueShards }, (_, shard) => sweepShard(shard)));
  return counts.reduce((sum, count) => sum + count, 0);
};
