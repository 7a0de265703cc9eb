/** Tells a pod that was deleted while it ran from one that failed by itself: the kubelet reports both as failed (DESIGN §4). Pure. */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { containerStatuses, initStatuses } from './steps.ts';

/** When the pod's deletion was asked for, milliseconds since 1970: `deletionTimestamp` is when its grace period ends. Undefined when it was not. */
export const deletionAskedAt = ({ metadata }: Pod): number | undefined => {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = metadata ?? {};
  return deletionTimestamp === undefined
    ? undefined
    : Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000;
};

/** Whether the pod failed because its deletion killed a step: one that ended badly before did so by itself. Times are whole seconds. */
export const endedByDeletion = (pod: Pod): boolean => {
  const askedAt = deletionAskedAt(pod);
  if (askedAt === undefined || pod.status?.phase !== 'Failed') return false;
  const failed = [...initStatuses(pod), ...containerStatuses(pod)].flatMap(({ state }) =>
    state?.terminated !== undefined && state.terminated.exitCode !== 0 ? [state.terminated] : [],
  );
  return failed.length > 0 && failed.every(({ finishedAt }) => Date.parse(finishedAt ?? '') >= askedAt);
};
