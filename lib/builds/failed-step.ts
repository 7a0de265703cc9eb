/** Which step made a pod fail, and how that is told (spec 02 §6.2, §7.1). */
import type { Container, ContainerStateTerminated, ContainerStatus, Pod } from 'kubernetes-types/core/v1.d.ts';
import { stepsOverAnnotation } from '../api/labels.ts';
import type { ConditionReason } from '../api/reasons.ts';
import { anotherFailedExitCode, commitGoneExitCode } from '../api/step-exit.ts';
import { saysImmutable } from '../oci/immutable-tags.ts';
import { containerStatuses, initStatuses, isStep, stateOf } from './steps.ts';

/** A container that ended badly, with what it said. */
export interface FailedStep {
  readonly container: string;
  readonly exitCode: number;
  readonly message: string;
  /** The kubelet's word for how it ended, such as `OOMKilled`; absent when it has none. */
  readonly reason?: string | undefined;
}

const endedBadly = ({ state }: ContainerStatus): boolean =>
  state?.terminated !== undefined && state.terminated.exitCode !== 0;

/** Words of kubelets and runtimes for a container that they know nothing of any more. */
const lost: ReadonlySet<string> = new Set(['ContainerStatusUnknown', 'Unknown']);

/** Whether the node lost the container: `Unknown` is a runtime's word after a restart, and its exit code then 255. */
export const wasLost = ({ exitCode, reason = '' }: ContainerStateTerminated): boolean =>
  lost.has(reason) && (reason !== 'Unknown' || exitCode === 255);

/** Whether a container that ended badly did so by itself: it was not stopped or lost, nor did it give up because another one had failed. */
export const endedByItself = (ended: ContainerStateTerminated): boolean => {
  const { exitCode, reason } = ended;
  const wasKilled = exitCode === 137 || exitCode === 143;
  return exitCode !== anotherFailedExitCode && !wasLost(ended) && (!wasKilled || reason === 'OOMKilled');
};

/** Whether a step ended badly by itself. */
export const failedByItself = (status: ContainerStatus): boolean =>
  isStep(status.name) &&
  endedBadly(status) &&
  status.state?.terminated !== undefined &&
  endedByItself(status.state.terminated);

const told = ({ name, state }: ContainerStatus, message: string): FailedStep => ({
  container: name,
  exitCode: state?.terminated?.exitCode ?? 1,
  reason: state?.terminated?.reason,
  message,
});

/** Names of init containers that run beside the others: they end when these do, and how says nothing. */
export const nativeSidecars = ({ spec }: Pod): ReadonlySet<string> =>
  new Set(
    (spec?.initContainers ?? []).flatMap((container: Container & { readonly restartPolicy?: string }) =>
      container.restartPolicy === 'Always' ? [container.name] : [],
    ),
  );

/**
 * An init container that others injected, failed before any step ran and has something to say: kpack tells it as it tells a step. It is no step,
 * and takes the blame only where no step has it.
 */
const failedForeign = (pod: Pod): FailedStep | undefined => {
  const sidecars = nativeSidecars(pod);
  const found = initStatuses(pod).find(
    (status) =>
      !isStep(status.name) &&
      !sidecars.has(status.name) &&
      endedBadly(status) &&
      (status.state?.terminated?.message ?? '') !== '',
  );
  return found === undefined ? undefined : told(found, found.state?.terminated?.message ?? '');
};

/**
 * The failed step: the first init container of ours that ended badly, as in kpack. Beyond kpack, which then says nothing: a failed completion, and
 * where all steps start at once the first that failed, as others end badly only because it did. Their message may be the log itself, so it is
 * not repeated. Without any, a container of others that kept the steps from running.
 */
export const failedStep = (pod: Pod): FailedStep | undefined => {
  const init = initStatuses(pod).find((status) => isStep(status.name) && endedBadly(status));
  if (init !== undefined) return told(init, stateOf(init).terminated?.message ?? '');
  const all = containerStatuses(pod).filter((status) => isStep(status.name) && endedBadly(status));
  const regular = all.find(failedByItself) ?? all[0];
  return regular === undefined ? failedForeign(pod) : told(regular, `Container ${regular.name} terminated with error`);
};

/** Whether the time of the Build was over. A pod whose steps are over is ended by a deadline too, which is ours (turn-patches.ts). */
export const endedByDeadline = ({ metadata, status }: Pod): boolean =>
  status?.reason === 'DeadlineExceeded' && metadata?.annotations?.[stepsOverAnnotation] === undefined;

/** A kubelet's words for a pod that its node had no room or no time for. */
const thrownOut = new Set(['Evicted', 'Preempting', 'Terminated', 'NodeShutdown']);

/** Whether the kubelet ended the pod for a reason that has nothing to do with its steps. */
export const endedByNode = (pod: Pod): boolean => endedByDeadline(pod) || thrownOut.has(pod.status?.reason ?? '');

/** Steps that move tags. */
const pushing: ReadonlySet<string> = new Set(['export', 'rebase']);

/** Why the Build failed: kpack's one word, but where somebody has to do something of a kind of its own. `line`: the step's last one. */
export const failureReason = (pod: Pod, failed: FailedStep | undefined, line = ''): ConditionReason => {
  if (failed !== undefined && pushing.has(failed.container) && saysImmutable(line)) return 'TagImmutable';
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
