/**
 * Wakes everything unfinished of one cluster after a gap in its watches: what happened meanwhile to a child (a pod that ended, a
 * Build that finished) is in no event that will come again. Unfinished objects are those due within ten minutes (DESIGN §3.7).
 */
import type { Message } from '../queue/message.ts';
import type { Sender } from '../queue/send.ts';
import { queueOf, rowOf } from '../reconcile/kind-table.ts';
import { dueShards, type TargetKey } from '../state/keys.ts';
import type { Due, Records } from '../state/records.ts';

/** What waking needs. */
export interface WakeUnfinishedPorts {
  readonly records: Pick<Records, 'due'>;
  readonly sender: Sender;
}

const unfinishedSeconds = 600;
const pageSize = 200;

const wakeUp = ({ cluster, ...target }: TargetKey, now: number): Message => ({
  v: 1,
  cluster,
  epoch: '',
  target,
  cause: { ...target, uid: '', resourceVersion: '' },
  reason: 'due',
  // Not by the minute: what happened after the first of two gaps in a minute would be swallowed with the second wake-up.
  occasion: `gap@${now}`,
});

/** Sends one wake-up an object; due times are left to the passes. Gives the number sent. `now` is in Unix seconds. */
export const wakeUnfinished = async (
  { records, sender }: WakeUnfinishedPorts,
  cluster: string,
  now: number,
): Promise<number> => {
  let sent = 0;
  for (let shard = 0; shard < dueShards; shard += 1) {
    let page: readonly Due[] = [];
    do {
      page = await records.due(shard, now + unfinishedSeconds, pageSize, page.at(-1));
      const targets = page
        .map(({ target }) => target)
        .filter(({ kind, ...rest }) => rest.cluster === cluster && rowOf(kind) !== undefined);
      for (const [queue, group] of Map.groupBy(targets, ({ kind }) => queueOf(kind)))
        await sender.send(
          queue,
          group.map((target) => wakeUp(target, now)),
        );
      sent += targets.length;
    } while (page.length === pageSize);
  }
  return sent;
};
