/** Which step made a pod fail, and how that is told (spec 02 §6.2, §7.1). */
import type { ContainerStateTerminated, ContainerStatus, Pod } from 'kubernetes-types/core/v1.d.ts';
import { stepsOverAnnotation } from '../api/labels.ts';
import type { ConditionReason } from '../api/reasons.ts';
import { anotherFailedExitCode, commitGoneExitCode } from '../api/step-exit.ts';
import { containerStatuses, initStatuses, isStep, stateOf } from './steps.ts';

/** A container that ended badly, with what it said. */
export interface FailedStep {
  readonly container: string;
  readonly exitCode: number;
  readonly message: string;
}

/** kpack's rule: the first init container that ended badly with something to say; a step always has, a foreign one may not. */
const failedInit = (pod: Pod): FailedStep | undefined => {
  for (const status of initStatuses(pod)) {
    const { terminated } = isStep(status.name) ? stateOf(status) : (status.state ?? {});
    if (terminated !== undefined && terminated.exitCode !== 0 && (terminated.message ?? '') !== '')
      return { container: status.name, exitCode: terminated.exitCode, message: terminated.message ?? '' };
  }
  return undefined;
};

const endedBadly = ({ name, state }: ContainerStatus): boolean =>
  isStep(name) && state?.terminated !== undefined && state.terminated.exitCode !== 0;

/** Whether a container that ended badly did so by itself: it was not stopped, nor did it give up because another one had failed. */
export const endedByItself = ({ exitCode, reason }: ContainerStateTerminated): boolean => {
  const wasKilled = exitCode === 137 || exitCode === 143;
  return exitCode !== anotherFailedExitCode && (!wasKilled || reason === 'OOMKilled');
};

const failedByItself = (status: ContainerStatus): boolean =>
  endedBadly(status) && status.state?.terminated !== undefined && endedByItself(status.state.terminated);

/**
 * The failed step. Beyond kpack, which then says nothing: a failed completion, and where all steps start at once the first that failed, as
 * others end badly only because it did. Their message may be the log itself, so it is not repeated.
 */
export const failedStep = (pod: Pod): FailedStep | undefined => {
  const init = failedInit(pod);
  if (init !== undefined) return init;
  const all = containerStatuses(pod);
  const regular = all.find(failedByItself) ?? all.find(endedBadly);
  return regular === undefined
    ? undefined
    : {
        container: regular.name,
        exitCode: regular.state?.terminated?.exitCode ?? 1,
        message: `Container ${regular.name} terminated with error`,
      };
};

/** Whether the time of the Build was over. A pod whose steps are over is ended by a deadline too, which is ours (turn-patches.ts). */
export const endedByDeadline = ({ metadata, status }: Pod): boolean =>
  status?.reason === 'DeadlineExceeded' && metadata?.annotations?.[stepsOverAnnotation] === undefined;

/** A kubelet's words for a pod that its node had no room or no time for. */
const thrownOut = new Set(['Evicted', 'Preempting', 'Terminated', 'NodeShutdown']);

/** Whether the kubelet ended the pod for a reason that has nothing to do with its steps. */
export const endedByNode = (pod: Pod): boolean => endedByDeadline(pod) || thrownOut.has(pod.status?.reason ?? '');

/** Why the Build failed: kpack's one word, but where somebody has to do something of a kind of its own. */
export const failureReason = (pod: Pod, failed: FailedStep | undefined): ConditionReason => {
  if (failed?.container === 'prepare' && failed.exitCode === commitGoneExitCode) return 'CommitGone';
  if (endedByDeadline(pod)) return 'DeadlineExceeded';
  return thrownOut.has(pod.status?.reason ?? '') ? 'Evicted' : 'Failed';
};

/** In place of the line when the log cannot be read. */
export const noLog = 'could not retrieve container logs';

/** The condition's message for a failed pod: `line` is the last log line of the failed step (spec 02 §7.1). */
export const failureMessage = (pod: Pod, failed: FailedStep | undefined, line: string): string => {
  const isOurs = pod.status?.reason === 'DeadlineExceeded' && !endedByDeadline(pod);
  const said = isOurs ? '' : (pod.status?.message ?? '');
  if (failed === undefined) return said;
  const { namespace = '', name = '' } = pod.metadata ?? {};
  const command = `kubectl logs -n ${namespace} ${name} -c ${failed.container}`;
  return `Error: ${said} ${failed.message} ${line}: For more info use \`${command}\``;
};
