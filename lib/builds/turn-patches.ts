/** What a pod needs from outside while it runs: its first step waits for sidecars, or it would never end (spec 02 §6.6). Pure: the patches, not the patching. */
import type { ContainerStatus, Pod } from 'kubernetes-types/core/v1.d.ts';
import { podReadyAnnotation, stepsOverAnnotation } from '../api/labels.ts';
import { endedByItself } from './failed-step.ts';
import { isKeptByOthers } from './foreign.ts';
import { waitsForSidecars } from './pod/at-once.ts';
import { containerStatuses, isStep, startsAtOnce } from './steps.ts';

/** Whether a container of others is done: one that ends at once is never ready, and nobody needs to wait for it. */
const isDone = ({ name, state }: ContainerStatus): boolean => !isStep(name) && state?.terminated !== undefined;

/** Every container runs, sidecars too, and nobody has said so yet: the steps may start. */
const areStepsToStart = (pod: Pod): boolean =>
  pod.metadata?.annotations?.[podReadyAnnotation] === undefined &&
  containerStatuses(pod).filter((status) => status.ready || isDone(status)).length === pod.spec?.containers.length;

/** Ends of a container that could not tell the others: it never began, or all of it was killed. */
const untold = new Set(['OOMKilled', 'StartError', 'ContainerCannotRun']);
/** A step that failed tells the others within a moment; those that wait for longer wait in vain. */
const patienceSeconds = 60;

const isUntold = ({ name, state }: ContainerStatus, now: Date): boolean => {
  const ended = state?.terminated;
  if (ended === undefined || ended.exitCode === 0 || !isStep(name)) return false;
  const seconds = (now.getTime() - Date.parse(ended.finishedAt ?? '')) / 1000;
  return (untold.has(ended.reason ?? '') && endedByItself(ended)) || seconds > patienceSeconds;
};

/** Only containers of others keep the pod running, or steps that wait for one that has failed without a word. */
const isPodToEnd = (pod: Pod, now: Date): boolean =>
  pod.status?.phase === 'Running' &&
  pod.spec?.activeDeadlineSeconds !== 1 &&
  (isKeptByOthers(pod) || (startsAtOnce(pod) && containerStatuses(pod).some((status) => isUntold(status, now))));

const over = { metadata: { annotations: { [stepsOverAnnotation]: 'true' } }, spec: { activeDeadlineSeconds: 1 } };

/** JSON merge patches to apply now, in order. The second is not repeated once it took effect, unlike in kpack. */
export const turnPatches = (
  pod: Pod,
  { now }: { readonly now: Date },
): readonly { readonly metadata?: object; readonly spec?: object }[] => [
  ...(waitsForSidecars(pod) && areStepsToStart(pod)
    ? [{ metadata: { annotations: { [podReadyAnnotation]: 'true' } } }]
    : []),
  ...(isPodToEnd(pod, now) ? [over] : []),
];
