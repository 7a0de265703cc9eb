/** How often a Build's progress is told: steps end each second, and every status that is written wakes whoever watches it. Pure. */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import type { Build } from '../api/build.ts';
import { holdUpOf } from '../api/hold-up.ts';
import { conditionOf } from '../reconcile/conditions.ts';
import { succeededFrom } from './status.ts';
import { stepStates } from './steps.ts';

/** Seconds between two tellings of how far a build is. */
export const progressSeconds = 5;

/** For so long after its making a pod may say only that it was made. */
const quietSeconds = 2;

/** Whether the pod says nothing yet that somebody waits for: no step runs, and nothing holds it up. Moments later one does, which is told with it. */
const isOnlyMade = (build: Build, pod: Pod): boolean => {
  const said = succeededFrom(pod);
  const hasBegun = stepStates(pod).some(({ running, terminated }) => running !== undefined || terminated !== undefined);
  return (
    conditionOf(build, 'Succeeded') === undefined &&
    said.status === 'Unknown' &&
    holdUpOf(said.reason) === '' &&
    !hasBegun
  );
};

/** Whether there is nothing to tell but steps that have ended meanwhile: the Build runs, as its status says, and what holds it up is the same. */
const isOnlyProgress = (build: Build, pod: Pod): boolean => {
  const [had, next] = [conditionOf(build, 'Succeeded'), succeededFrom(pod)];
  const isSame =
    had?.status === 'Unknown' && next.status === 'Unknown' && holdUpOf(had.reason) === holdUpOf(next.reason);
  return isSame && build.status?.podName === pod.metadata?.name;
};

/** Seconds for which telling it may wait; 0 when it is to be told now. */
export const mayWaitSeconds = (build: Build, pod: Pod, toldAt: number | undefined, now: Date): number => {
  if (isOnlyMade(build, pod)) {
    const madeAt = Date.parse(pod.metadata?.creationTimestamp ?? '') / 1000;
    return Math.max(0, Math.min(quietSeconds, Math.ceil(madeAt + quietSeconds - now.getTime() / 1000) || 0));
  }
  if (toldAt === undefined || !isOnlyProgress(build, pod)) return 0;
  return Math.max(0, Math.min(progressSeconds, Math.ceil(toldAt + progressSeconds - now.getTime() / 1000)));
};
