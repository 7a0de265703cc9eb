/**
 * Containers that others put into a build's pod: sidecars of a mesh, init containers of an agent. What they do decides nothing about the Build:
 * it has its result when its own steps are over, and the pod is ended if it would go on because of them. Pure.
 */
import type { ContainerStatus, Pod } from 'kubernetes-types/core/v1.d.ts';
import { isDeleting } from '../kube/object.ts';
import { failedByItself } from './failed-step.ts';
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

/** Containers that the next step waits for: init containers, steps, and where the pod was made to wait for sidecars all. */
export const blockers = (pod: Pod): readonly ContainerStatus[] => [
  ...initStatuses(pod),
  ...containerStatuses(pod).filter(({ name }) => isStep(name) || waitsForSidecars(pod)),
];
