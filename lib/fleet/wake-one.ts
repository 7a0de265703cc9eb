/**
 * Wakes one object in place of a message for it: its due time is now, so the next sweep sends another. A message is a pointer and no more, and one
 * that an operator sends would not be believed (DESIGN §3.26).
 */
import type { Message } from '../queue/message.ts';
import { targetOf } from '../queue/message.ts';
import { CLUSTER_KIND, dependentsRow, rowOf } from '../reconcile/kind-table.ts';
import { type TargetKey, tellingOf } from '../state/keys.ts';
import type { Records } from '../state/records.ts';

/** What the message in a queue wakes, as a key with a due time; undefined for news of a cluster, which no due time repeats. */
export const wokenBy = (queue: string, message: Message): TargetKey | undefined => {
  const target = targetOf(message);
  if (target.kind === CLUSTER_KIND) return undefined;
  if (queue === dependentsRow.name) return target.kind === dependentsRow.kind ? target : tellingOf(target);
  return rowOf(target.kind) === undefined ? tellingOf(target) : target;
};

/** Makes it due at `now` (Unix seconds). @throws StateError */
export const wakeOne = (records: Pick<Records, 'park'>, target: TargetKey, now: number): Promise<void> =>
  records.park(target, now);
