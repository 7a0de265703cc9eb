/** From the pod to the Build's condition `Succeeded` and its steps (spec 02 §6.2, spec 03 §15). Pure. */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import type { BuildStatus } from '../api/build.ts';
import type { Condition } from '../api/condition.ts';
import { condition } from '../reconcile/conditions.ts';
import { failedStep, failureMessage, failureReason } from './failed-step.ts';
import { blockers, hasFailed, loopingSidecar } from './foreign.ts';
import { initStatuses, isBuilt, isStuck, stateOf, stepStates, stepsCompleted } from './steps.ts';

/** The Build's one condition. */
export const succeeded = (status: Condition['status'], reason = '', message = ''): Condition =>
  condition('Succeeded', status, reason, message);

/** Why a pod is not running yet: an init container that waits, a regular one that cannot start, else the scheduler's answer. */
const pending = (pod: Pod): Condition => {
  const looping = loopingSidecar(pod);
  if (looping !== undefined)
    return succeeded('Unknown', 'CrashLoopBackOff', `steps wait for container ${looping.name}: ${looping.words}`);
  // Beyond kpack, which looks at init containers alone: completion, and all steps where sidecars are injected, are none.
  const waiting = initStatuses(pod).find(({ state }) => state?.waiting !== undefined) ?? blockers(pod).find(isStuck);
  if (waiting !== undefined) {
    const { reason, message } = stateOf(waiting).waiting ?? {};
    return succeeded('Unknown', reason, message);
  }
  // Beyond kpack, which says nothing while no node takes the pod.
  const unscheduled = pod.status?.conditions?.find(({ type, status }) => type === 'PodScheduled' && status === 'False');
  return succeeded('Unknown', unscheduled?.reason, unscheduled?.message);
};

/**
 * What the pod says about the Build. `line` is the last log line of the failed step, read only when `failedStep` names one. First
 * match wins; anything that is neither over nor held up is Unknown without a reason, as in kpack.
 */
export const succeededFrom = (pod: Pod, line = ''): Condition => {
  if (isBuilt(pod)) return succeeded('True', 'Completed');
  if (hasFailed(pod)) {
    const failed = failedStep(pod);
    return succeeded('False', failureReason(pod, failed, line), failureMessage(pod, failed, line));
  }
  return pod.status?.phase === 'Pending' ? pending(pod) : succeeded('Unknown');
};

/** The part of the status that repeats the pod: its name and its steps. */
export const podStatus = (pod: Pod): Pick<BuildStatus, 'podName' | 'stepStates' | 'stepsCompleted'> => ({
  podName: pod.metadata?.name,
  stepStates: stepStates(pod),
  stepsCompleted: stepsCompleted(pod),
});
