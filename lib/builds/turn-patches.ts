/** What a pod whose steps start at once needs from outside while it runs (spec 02 §6.6). Pure: the patches, not the patching. */
import type { ContainerStatus, Pod } from 'kubernetes-types/core/v1.d.ts';
import { podReadyAnnotation, stepsOverAnnotation } from '../api/labels.ts';
import { endedByItself } from './failed-step.ts';
import { completionStatus, containerStatuses, isStep, startsAtOnce } from './steps.ts';

/** Every container runs, sidecars too, and nobody has said so yet: the steps may start. */
const areStepsToStart = (pod: Pod): boolean =>
  pod.metadata?.annotations?.[podReadyAnnotation] === undefined &&
  containerStatuses(pod).filter(({ ready }) => ready).length === pod.spec?.containers.length;

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

/** Only sidecars keep the pod running, or steps that wait for one that has failed without a word. */
const isPodToEnd = (pod: Pod, hasSidecars: boolean, now: Date): boolean =>
  pod.status?.phase === 'Running' &&
  pod.spec?.activeDeadlineSeconds !== 1 &&
  ((hasSidecars && completionStatus(pod)?.state?.terminated !== undefined) ||
    (startsAtOnce(pod) && containerStatuses(pod).some((status) => isUntold(status, now))));

const over = { metadata: { annotations: { [stepsOverAnnotation]: 'true' } }, spec: { activeDeadlineSeconds: 1 } };

/** JSON merge patches to apply now, in order. The second is not repeated once it took effect, unlike in kpack. */
export const turnPatches = (
  pod: Pod,
  { hasSidecars, now }: { readonly hasSidecars: boolean; readonly now: Date },
): readonly { readonly metadata?: object; readonly spec?: object }[] => [
  ...(hasSidecars && areStepsToStart(pod) ? [{ metadata: { annotations: { [podReadyAnnotation]: 'true' } } }] : []),
  ...(isPodToEnd(pod, hasSidecars, now) ? [over] : []),
];
