/** Conditions on a status, as kpack writes and compares them (spec 01 §2, §3.1; spec 02 §2.4). */
import type { Condition, ConditionedStatus, ConditionStatus } from '../api/condition.ts';

/** A status that has conditions. */
export interface Conditioned {
  readonly status?: ConditionedStatus | undefined;
}

/** The condition of that type, if the object has one. */
export const conditionOf = (object: Conditioned | undefined, type: string): Condition | undefined =>
  object?.status?.conditions?.find((condition) => condition.type === type);

/** Its status; a missing condition reads as Unknown. */
export const statusOf = (object: Conditioned | undefined, type: string): ConditionStatus =>
  conditionOf(object, type)?.status ?? 'Unknown';

/** Whether it is True; a missing one is not. */
export const isTrue = (object: Conditioned | undefined, type: string): boolean => statusOf(object, type) === 'True';

/** Whether it is False; a missing one is not. */
export const isFalse = (object: Conditioned | undefined, type: string): boolean => statusOf(object, type) === 'False';

/** A condition without empty members. Times are set by `withTransitionTimes` when it is written. */
export const condition = (type: string, status: ConditionStatus, reason = '', message = ''): Condition => ({
  type,
  status,
  ...(reason === '' ? {} : { reason }),
  ...(message === '' ? {} : { message }),
});

/**
 * Gives each wanted condition its transition time: the one it had when its status did not change, `now` otherwise. kpack
 * refreshes the times of all conditions at any write (02#S27); a truthful time is what Kubernetes documents.
 */
export const withTransitionTimes = (
  wanted: readonly Condition[],
  had: readonly Condition[] | undefined,
  now: Date,
): readonly Condition[] =>
  wanted.map((next) => {
    if (next.lastTransitionTime !== undefined) return next;
    const before = had?.find(({ type }) => type === next.type);
    const kept = before?.status === next.status ? before.lastTransitionTime : undefined;
    return { ...next, lastTransitionTime: kept ?? now.toISOString().replace(/\.\d+Z$/, 'Z') };
  });
