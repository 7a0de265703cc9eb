/**
 * Pods that will not end by themselves: no node takes them, an image cannot be pulled, their node is lost. kpack leaves their Builds
 * Unknown for ever; here each has an end, late enough for whatever may still heal. Pure.
 */
import type { ContainerStatus, Pod } from 'kubernetes-types/core/v1.d.ts';
import type { Condition } from '../api/condition.ts';
import { isDeleting } from '../kube/object.ts';
import { succeeded } from './status.ts';
import { containerStatuses, initStatuses, isStuck } from './steps.ts';

const minute = 60;
/** A full cluster may be busy for long, and nodes may take their time to come. */
const unscheduledSeconds = 24 * 60 * minute;
/** A registry may be down; an image that is not there does not come by waiting. */
const stuckSeconds = 60 * minute;
/** A node that does not say that a pod is gone is taken for lost. */
const deletingSeconds = 10 * minute;

const secondsSince = (time: string | undefined, now: Date): number =>
  time === undefined ? 0 : (now.getTime() - Date.parse(time)) / 1000;

const reasonOf = ({ state }: ContainerStatus): string => state?.waiting?.reason ?? '';

/** When the container that waits became the next to run: when the step before it ended, else when the node took the pod. */
const waitingSince = (pod: Pod): string | undefined =>
  [...initStatuses(pod), ...containerStatuses(pod)]
    .flatMap(({ state }) => state?.terminated?.finishedAt ?? [])
    .toSorted()
    .at(-1) ?? pod.status?.startTime;

/** How the Build ends because of it; undefined while the pod may still do its work. The pod is to be deleted then. */
export const overdue = (pod: Pod, now: Date): Condition | undefined => {
  const { phase, conditions = [] } = pod.status ?? {};
  if (phase === 'Succeeded' || phase === 'Failed') return undefined;
  const name = pod.metadata?.name ?? '';
  if (isDeleting(pod))
    return secondsSince(pod.metadata?.deletionTimestamp, now) < deletingSeconds
      ? undefined
      : succeeded('False', 'PodDeleted', `pod ${name} was deleted, and its node does not say that it is gone`);
  const unscheduled = conditions.find(({ type, status }) => type === 'PodScheduled' && status === 'False');
  if (unscheduled !== undefined && secondsSince(unscheduled.lastTransitionTime, now) >= unscheduledSeconds)
    return succeeded('False', 'Unschedulable', `no node took pod ${name} for a day: ${unscheduled.message ?? ''}`);
  const stuck = [...initStatuses(pod), ...containerStatuses(pod)].find(isStuck);
  if (stuck === undefined || secondsSince(waitingSince(pod), now) < stuckSeconds) return undefined;
  const why = stuck.state?.waiting?.message ?? '';
  return succeeded('False', reasonOf(stuck), `container ${stuck.name} could not start for an hour: ${why}`);
};
