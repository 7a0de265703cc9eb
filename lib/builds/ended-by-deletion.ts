/** Tells a pod that was deleted while it ran from one that failed by itself: the kubelet reports both as failed (DESIGN §4). Pure. */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { containerStatuses, initStatuses } from './steps.ts';

/**
 * Whether the pod failed because its deletion killed a step. `deletionTimestamp` is when the grace period ends; the deletion was asked
 * for that much earlier, and a step that ended badly before then did so by itself. Times are whole seconds.
 */
export const endedByDeletion = (pod: Pod): boolean => {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = pod.metadata ?? {};
  if (deletionTimestamp === undefined || pod.status?.phase !== 'Failed') return false;
  const askedAt = Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000;
  const failed = [...initStatuses(pod), ...containerStatuses(pod)].flatMap(({ state }) =>
    state?.terminated !== undefined && state.terminated.exitCode !== 0 ? [state.terminated] : [],
  );
  return failed.length > 0 && failed.every(({ finishedAt }) => Date.parse(finishedAt ?? '') >= askedAt);
};
