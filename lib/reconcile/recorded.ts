/** Whether a record says already what a pass would leave behind: then its last write is left out (DESIGN §3.5). */
import type { Message } from '../queue/message.ts';
import { type Finished, type ObjectRecord, showDependency } from '../state/records.ts';

const isSame = (had: readonly string[], wanted: readonly string[]): boolean =>
  had.length === wanted.length && wanted.every((each) => had.includes(each));

/** The object is looked at again soon enough, by a due time that nobody was woken for. Later than half of what is wished would cost passes. */
const isDueInTime = (dueAt: number | undefined, finished: Pick<Finished, 'dueAt'>, now: number): boolean =>
  dueAt !== undefined && dueAt <= finished.dueAt && dueAt - now > (finished.dueAt - now) / 2;

/**
 * The due time that a pass leaves: the one that is recorded, if the object is looked at by then soon enough, or the one that it wishes. Moving a due time
 * costs two writes of the index and leaving it none (DESIGN §3.7). `now` in Unix seconds.
 */
export const dueAtToKeep = (
  record: Pick<ObjectRecord, 'dueAt'>,
  finished: Pick<Finished, 'attempts' | 'dueAt'>,
  now: number,
): number =>
  finished.attempts === 0 && record.dueAt !== undefined && isDueInTime(record.dueAt, finished, now)
    ? record.dueAt
    : finished.dueAt;

/**
 * True when writing would change nothing but put off the due time. Whoever was woken by the clock always writes: the sweeper has moved his due
 * time only for the case that nobody answers. `now` in Unix seconds.
 */
export const isRecorded = (
  record: ObjectRecord,
  finished: Finished,
  messages: readonly Pick<Message, 'reason'>[],
  now: number,
): boolean =>
  messages.every(({ reason }) => reason !== 'due') &&
  isDueInTime(record.dueAt, finished, now) &&
  finished.attempts === 0 &&
  record.attempts === 0 &&
  record.goneAt === undefined &&
  record.unregisteredAt === finished.unregisteredAt &&
  record.looseEdges.length === 0 &&
  record.resourceVersion === finished.resourceVersion &&
  record.epoch === finished.epoch &&
  (record.memory ?? '') === (finished.memory ?? '') &&
  isSame(record.seen, finished.seen ?? []) &&
  (finished.edges === undefined || isSame(record.edges, [...new Set(finished.edges.map(showDependency))]));
