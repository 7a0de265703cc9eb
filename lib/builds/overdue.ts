/**
 * Pods that will not end by themselves: no node takes them, an image cannot be pulled, a volume not be mounted, their node is lost. kpack leaves
 * their Builds Unknown for ever; here each has an end, late enough for whatever may still heal. Pure.
 */
import type { ContainerStatus, Pod } from 'kubernetes-types/core/v1.d.ts';
import type { Condition } from '../api/condition.ts';
import { isDeleting } from '../kube/object.ts';
import { disruptionOf } from './disruption.ts';
import { nativeSidecars } from './failed-step.ts';
import { blockers, loopingSidecar } from './foreign.ts';
import { succeeded } from './status.ts';
import { containerStatuses, initStatuses, isStep, isStuck } from './steps.ts';

const minute = 60;
/** A full cluster may be busy for long, and nodes may take their time to come. */
const unscheduledSeconds = 24 * 60 * minute;
/** A registry may be down; an image that is not there does not come by waiting. */
const stuckSeconds = 60 * minute;
/** Nothing is said to be wrong: a large image may be on its way. */
const idleSeconds = 6 * 60 * minute;
/** A node that does not say that a pod is gone is taken for lost. */
const deletingSeconds = 10 * minute;
/** The same where another pod is waited for, which may not run beside it. */
const disruptedSeconds = 60 * minute;

const secondsSince = (time: string | undefined, now: Date): number =>
  time === undefined ? 0 : (now.getTime() - Date.parse(time)) / 1000;

const reasonOf = ({ state }: ContainerStatus): string => state?.waiting?.reason ?? '';

/** When the container that waits became the next to run: when the step before it ended, else when the node took the pod. */
const waitingSince = (pod: Pod): string | undefined => {
  const sidecars = nativeSidecars(pod);
  const ends = [...initStatuses(pod), ...containerStatuses(pod)].flatMap(({ name, state }) =>
    sidecars.has(name) ? [] : (state?.terminated?.finishedAt ?? []),
  );
  return ends.toSorted().at(-1) ?? pod.status?.startTime;
};

/** When its node took the pod; undefined while none has. */
const scheduledAt = ({ status }: Pod): string | undefined =>
  status?.startTime ??
  status?.conditions?.find(({ type, status: is }) => type === 'PodScheduled' && is === 'True')?.lastTransitionTime;

/** Whether its volumes are mounted and its network is there: what it still waits for are images. */
const isSetUp = ({ status }: Pod): boolean =>
  status?.conditions?.some(({ type, status: is }) => type === 'PodReadyToStartContainers' && is === 'True') === true;

/** Whether a node has the pod and has not set it up, and no step of it runs or has run. */
export const isStarting = (pod: Pod): boolean =>
  pod.status?.phase === 'Pending' &&
  scheduledAt(pod) !== undefined &&
  !isSetUp(pod) &&
  ![...initStatuses(pod), ...containerStatuses(pod)].some(
    ({ name, state }) => isStep(name) && (state?.running !== undefined || state?.terminated !== undefined),
  );

/** Seconds for which the pod has been starting; 0 when it is not. */
export const startingSeconds = (pod: Pod, now: Date): number =>
  isStarting(pod) ? Math.max(0, secondsSince(scheduledAt(pod), now)) : 0;

const deleted = (pod: Pod, now: Date): Condition | undefined => {
  const seconds = secondsSince(pod.metadata?.deletionTimestamp, now);
  const name = pod.metadata?.name ?? '';
  const lost = disruptionOf(pod);
  if (lost === undefined)
    return seconds < deletingSeconds
      ? undefined
      : succeeded('False', 'PodDeleted', `pod ${name} was deleted, and its node does not say that it is gone`);
  const why = `pod ${name} is to end (${lost.words}), and its node does not say that it is gone: another may not run beside it`;
  return seconds < disruptedSeconds ? undefined : succeeded('False', 'NodeLost', why);
};

const unscheduled = (pod: Pod, now: Date): Condition | undefined => {
  const { conditions = [], phase } = pod.status ?? {};
  const name = pod.metadata?.name ?? '';
  const told = conditions.find(({ type, status }) => type === 'PodScheduled' && status === 'False');
  if (told !== undefined)
    return secondsSince(told.lastTransitionTime, now) < unscheduledSeconds
      ? undefined
      : succeeded('False', 'Unschedulable', `no node took pod ${name} for a day: ${told.message ?? ''}`);
  const isUnseen = phase === 'Pending' && scheduledAt(pod) === undefined && pod.spec?.nodeName === undefined;
  if (!isUnseen || secondsSince(pod.metadata?.creationTimestamp, now) < unscheduledSeconds) return undefined;
  const scheduler = pod.spec?.schedulerName ?? 'default-scheduler';
  return succeeded(
    'False',
    'Unschedulable',
    `scheduler ${scheduler} took no notice of pod ${name} for a day: is there one?`,
  );
};

/** Neither a step nor what it waits for does anything, and nothing is said to be wrong; `known` is what was found out about it. */
const idle = (pod: Pod, now: Date, known: Condition | undefined): Condition | undefined => {
  const steps = [...initStatuses(pod), ...containerStatuses(pod)].filter(({ name }) => isStep(name));
  const isIdle = scheduledAt(pod) !== undefined && !steps.some(({ state }) => state?.running !== undefined);
  const isOver = steps.length > 0 && steps.every(({ state }) => state?.terminated !== undefined);
  if (!isIdle || isOver) return undefined;
  const seconds = secondsSince(waitingSince(pod) ?? scheduledAt(pod), now);
  const isNamed = known !== undefined;
  if (seconds < (isNamed ? stuckSeconds : idleSeconds)) return undefined;
  const why = isNamed ? `: ${known.message ?? ''}` : '';
  const hours = isNamed ? 'an hour' : 'six hours';
  return succeeded(
    'False',
    known?.reason ?? 'NotStarted',
    `pod ${pod.metadata?.name ?? ''} did nothing for ${hours}${why}`,
  );
};

/**
 * How the Build ends because of it; undefined while the pod may still do its work. The pod is to be deleted then. `known`: what was found to be
 * missing or wrong while it started (why-not-started.ts).
 */
export const overdue = (pod: Pod, now: Date, known?: Condition): Condition | undefined => {
  const { phase } = pod.status ?? {};
  if (phase === 'Succeeded' || phase === 'Failed') return undefined;
  if (isDeleting(pod)) return deleted(pod, now);
  const homeless = unscheduled(pod, now);
  if (homeless !== undefined) return homeless;
  const stuck = blockers(pod).find(isStuck);
  const looping = loopingSidecar(pod);
  if (stuck === undefined && looping === undefined) return idle(pod, now, known);
  if (secondsSince(waitingSince(pod), now) < stuckSeconds) return undefined;
  const why = looping?.words ?? stuck?.state?.waiting?.message ?? '';
  const reason = stuck === undefined ? 'CrashLoopBackOff' : reasonOf(stuck);
  return succeeded(
    'False',
    reason,
    `container ${looping?.name ?? stuck?.name ?? ''} could not start for an hour: ${why}`,
  );
};
