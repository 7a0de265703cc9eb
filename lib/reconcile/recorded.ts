/** Whether a record says already what a pass would leave behind: then its last write is left out (DESIGN §3.5). */
import { type Finished, type ObjectRecord, showDependency } from '../state/records.ts';

const isSame = (had: readonly string[], wanted: readonly string[]): boolean =>
  had.length === wanted.length && wanted.every((each) => had.includes(each));

/** What is wished of a due time. */
type Wish = Pick<Finished, 'dueAt' | 'restSeconds'>;

/** Until when the object has to be looked at: when it wishes, or as late as it was left alone before. */
const latest = (record: Pick<ObjectRecord, 'restSeconds'>, { dueAt, restSeconds }: Wish, now: number): number =>
  restSeconds === undefined ? dueAt : Math.max(dueAt, now + (record.restSeconds ?? 0));

/** The object is looked at again soon enough, by a due time that nobody was woken for. Later than half of what is wished would cost passes. */
const isDueInTime = (record: Pick<ObjectRecord, 'dueAt' | 'restSeconds'>, wish: Wish, now: number): boolean =>
  record.dueAt !== undefined &&
  record.dueAt <= latest(record, wish, now) &&
  record.dueAt - now > (wish.dueAt - now) / 2;

/**
 * The due time that a pass leaves: the one that is recorded, if the object is looked at by then soon enough, or the one that it wishes. Moving a due time
 * costs two writes of the index and leaving it none (DESIGN §3.7). `now` in Unix seconds.
 */
export const dueAtToKeep = (
  record: Pick<ObjectRecord, 'dueAt' | 'restSeconds'>,
  finished: Wish & Pick<Finished, 'attempts'>,
  now: number,
): number =>
  finished.attempts === 0 && record.dueAt !== undefined && isDueInTime(record, finished, now)
    ? record.dueAt
    : finished.dueAt;

/**
 * True when writing would change nothing but put off the due time, which the sweeper has done for who was woken by the clock (`Records.postpone`).
 * `now` in Unix seconds.
 */
export const isRecorded = (record: ObjectRecord, finished: Finished, now: number): boolean =>
  isDueInTime(record, finished, now) &&
  finished.attempts === 0 &&
  record.attempts === 0 &&
  record.goneAt === undefined &&
  (record.restSeconds === undefined) === (finished.restSeconds === undefined) &&
  record.unregisteredAt === finished.unregisteredAt &&
  record.looseEdges.length === 0 &&
  record.resourceVersion === finished.resourceVersion &&
  record.epoch === finished.epoch &&
  (record.memory ?? '') === (finished.memory ?? '') &&
  isSame(record.seen, finished.seen ?? []) &&
  (finished.edges === undefined || isSame(record.edges, [...new Set(finished.edges.map(showDependency))]));
