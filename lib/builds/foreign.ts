/**
 * Containers that others put into a build's pod: sidecars of a mesh, init containers of an agent. What they do decides nothing about the Build:
 * it has its result when its own steps are over, and the pod is ended if it would go on because of them. Pure.
 */
import type { ContainerStatus, Pod } from 'kubernetes-types/core/v1.d.ts';
import { isDeleting } from '../kube/object.ts';
import { failedByItself, nativeSidecars } from './failed-step.ts';
import { waitsForSidecars } from './pod/at-once.ts';
import { completionStatus, containerStatuses, initStatuses, isStep } from './steps.ts';

const isOver = ({ state }: ContainerStatus): boolean => state?.terminated !== undefined;

/** Whether no step of the pod will run any more: the last one ended, or an init container did badly. */
const areStepsOver = (pod: Pod): boolean =>
  completionStatus(pod)?.state?.terminated !== undefined ||
  initStatuses(pod).some(({ name, state }) => isStep(name) && (state?.terminated?.exitCode ?? 0) !== 0);

/** Whether steps are over, and regular containers of others keep the pod from ending: kubelets end native sidecars themselves. */
export const isKeptByOthers = (pod: Pod): boolean =>
  pod.status?.phase === 'Running' &&
  areStepsOver(pod) &&
  containerStatuses(pod).some((status) => !isStep(status.name) && !isOver(status));

/** Whether the pod failed as far as its steps go: its phase says so, or a step did and only containers of others still run. */
export const hasFailed = (pod: Pod): boolean => {
  if (pod.status?.phase === 'Failed') return true;
  const statuses = [...initStatuses(pod), ...containerStatuses(pod)];
  return (
    !isDeleting(pod) &&
    areStepsOver(pod) &&
    statuses.some(failedByItself) &&
    statuses.some((status) => !isStep(status.name) && !isOver(status))
  );
};

/** A native sidecar that keeps failing before it is ready. */
export interface LoopingSidecar {
  readonly name: string;
  /** How it ended last. */
  readonly words: string;
}

/**
 * The native sidecar that the first step waits for in vain: it was started again and is not ready. In pods that are not to be restarted kubelets show
 * it as ended or running, never as waiting in `CrashLoopBackOff`.
 */
export const loopingSidecar = (pod: Pod): LoopingSidecar | undefined => {
  const all = [...initStatuses(pod), ...containerStatuses(pod)];
  if (all.some(({ name, state }) => isStep(name) && (state?.running ?? state?.terminated) !== undefined))
    return undefined;
  const sidecars = nativeSidecars(pod);
  const found = initStatuses(pod).find(
    ({ name, restartCount, started }) => sidecars.has(name) && restartCount > 0 && started !== true,
  );
  if (found === undefined) return undefined;
  const { exitCode, message = '' } = found.state?.terminated ?? found.lastState?.terminated ?? {};
  const code = exitCode === undefined ? '' : `, last with exit code ${exitCode}`;
  const said = message === '' ? '' : `: ${message}`;
  return { name: found.name, words: `it ends again and again before it is ready${code}${said}` };
};

/** Containers that the next step waits for: init containers, steps, and where the pod was made to wait for sidecars all. */
export const blockers = (pod: Pod): readonly ContainerStatus[] => [
  ...initStatuses(pod),
  ...containerStatuses(pod).filter(({ name }) => isStep(name) || waitsForSidecars(pod)),
];
