/**
 * Wakes everything unfinished of one cluster after a gap in its watches: what happened meanwhile to a child (a pod that ended, a
 * Build that finished) is in no event that will come again. Unfinished objects are those due within ten minutes (DESIGN §3.7).
 */
import { dueMessage } from '../queue/message.ts';
import type { Sender } from '../queue/send.ts';
import { queueOf, rowOf } from '../reconcile/kind-table.ts';
import { dueShards, type TargetKey } from '../state/keys.ts';
import type { Due, Records } from '../state/records.ts';

/** What waking needs. */
export interface WakeUnfinishedPorts {
  readonly records: Pick<Records, 'due'>;
  readonly sender: Sender;
}

/** Which of the unfinished ones are woken. */
export interface Whom {
  /** Of these kinds; all without. */
  readonly kinds?: ReadonlySet<string> | undefined;
  /** Due within so many seconds: eleven minutes without. */
  readonly withinSeconds?: number;
  /** And of these only; may look at their records. */
  readonly isMeant?: (due: Due) => Promise<boolean>;
}

/** Ten minutes, and one for clocks that differ. */
const unfinishedSeconds = 660;
/** What is due so soon was parked or has failed: it goes before what only waits for a child. */
const soonSeconds = 30;
const pageSize = 200;

/** Sends one wake-up an object, those due soon first; due times are left to the passes. Gives the number sent. `now` is in Unix seconds. */
export const wakeUnfinished = async (
  { records, sender }: WakeUnfinishedPorts,
  cluster: string,
  now: number,
  { kinds, withinSeconds = unfinishedSeconds, isMeant = async () => true }: Whom = {},
): Promise<number> => {
  const isOne = (target: TargetKey): boolean =>
    target.cluster === cluster && rowOf(target.kind) !== undefined && (kinds?.has(target.kind) ?? true);

  /** Wakes what is due in a shard until `until`, after `last`. */
  const wakeShard = async (
    shard: number,
    until: number,
    last: Due | undefined,
  ): Promise<{ readonly sent: number; readonly last: Due | undefined }> => {
    let sent = 0;
    for (let from = last; ; ) {
      const page = await records.due(shard, until, pageSize, from);
      const found = page.filter(({ target }) => isOne(target));
      const meant = await Promise.all(found.map(isMeant));
      const targets = found.filter((_, index) => meant[index]).map(({ target }) => target);
      for (const [queue, group] of Map.groupBy(targets, ({ kind }) => queueOf(kind)))
        await sender.send(
          queue,
          // Not by the minute: what happened after the first of two gaps in a minute would be swallowed with the second wake-up.
          group.map((target) => dueMessage(target, `gap@${now}`)),
        );
      sent += targets.length;
      from = page.at(-1) ?? from;
      if (page.length < pageSize) return { sent, last: from };
    }
  };

  let sent = 0;
  const lasts: (Due | undefined)[] = Array.from({ length: dueShards }, () => undefined);
  for (const within of [Math.min(soonSeconds, withinSeconds), withinSeconds])
    for (const [shard, last] of lasts.entries()) {
      const woken = await wakeShard(shard, now + within, last);
      lasts[shard] = woken.last;
      sent += woken.sent;
    }
  return sent;
};
