/**
 * Every way in which a pod can end or wait in Kubernetes 1.30 to 1.34, and what its Build says then: the table of docs/builds.md, written there by
 * `node infra/pod-table.ts`. Each row is a test with the object as Kubernetes writes it (test/unit/builds/pod-table.test.ts).
 */
import type { ConditionStatus } from '../api/condition.ts';
import { disruptionRows } from './disruption.ts';

/** What becomes of the Build. */
export type Fate =
  /** That is its end. */
  | 'end'
  /** Another pod is made, as often as the settings say. */
  | 'another pod'
  /** Another pod is made, once, that does less. */
  | 'another pod, once'
  /** It goes on; or ends after the time that is named. */
  | 'goes on'
  | 'five minutes, then another pod'
  | 'an hour, then its end'
  | 'six hours, then its end'
  | 'a day, then its end'
  /** It is asked for again, every few minutes. */
  | 'asked for again';

/** One row. */
export interface PodRow {
  /** Names the row's test. */
  readonly id: string;
  /** What the API server shows. */
  readonly written: string;
  readonly meaning: string;
  readonly status: ConditionStatus;
  /** Empty for none. */
  readonly reason: string;
  readonly fate: Fate;
}

const row = (
  id: string,
  written: string,
  meaning: string,
  [status, reason]: readonly [ConditionStatus, string],
  fate: Fate,
): PodRow => ({ id, written, meaning, status, reason, fate });

const ends: readonly PodRow[] = [
  row('succeeded', 'phase `Succeeded`', 'all steps ended well', ['True', 'Completed'], 'end'),
  row(
    'steps well',
    'each step ended with 0, whatever the phase and other containers say',
    'the image is pushed',
    ['True', 'Completed'],
    'end',
  ),
  row(
    'step failed',
    'phase `Failed`; a step with reason `Error`',
    'its exit code and last lines are told',
    ['False', 'Failed'],
    'end',
  ),
  row(
    'out of memory',
    'the same with reason `OOMKilled`',
    'the step had too little memory',
    ['False', 'Failed'],
    'end',
  ),
  row(
    'cannot start',
    'the same with reason `StartError` or `ContainerCannotRun`',
    'the node could not start the step',
    ['False', 'Failed'],
    'end',
  ),
  row(
    'commit gone',
    'step `prepare` with exit code 44',
    'the git host no longer has the commit',
    ['False', 'CommitGone'],
    'end',
  ),
  row(
    'tag immutable',
    'step `export` or `rebase`; its last line says that a tag may not be moved',
    'a rule of the registry',
    ['False', 'TagImmutable'],
    'end',
  ),
  row(
    'not rebasable',
    'step `rebase` with exit code 46',
    'where the app begins cannot be told: it is built from source',
    ['Unknown', 'BuiltFromSource'],
    'another pod, once',
  ),
  row(
    'cache of another user',
    'step `restore` failed, and the Build has a cache',
    'the stack has another user, or the cache is broken: it is given up',
    ['Unknown', 'WithoutCache'],
    'another pod, once',
  ),
  row(
    'cache image',
    'step `analyze` may not read or write the cache image',
    'its last line names it',
    ['Unknown', 'WithoutCache'],
    'another pod, once',
  ),
  row(
    'deadline',
    'reason `DeadlineExceeded`',
    '`spec.build.buildTimeout` is over',
    ['False', 'DeadlineExceeded'],
    'end',
  ),
  row(
    'own limit',
    'reason `Evicted` without condition `DisruptionTarget`',
    'the pod outgrew a limit of its own: `sizeLimit`, ephemeral storage',
    ['False', 'Evicted'],
    'end',
  ),
  row(
    'deleted',
    '`deletionTimestamp` without condition `DisruptionTarget`, or the pod is gone',
    'somebody deleted it',
    ['False', 'PodDeleted'],
    'end',
  ),
  row(
    'deleted, node silent',
    'the same, and ten minutes later it is still there',
    'its node does not answer',
    ['False', 'PodDeleted'],
    'end',
  ),
];

const disruptions: readonly PodRow[] = disruptionRows.map(({ written, meaning, reason }) =>
  row(written, written, meaning, ['Unknown', reason], 'another pod'),
);

const goings: readonly PodRow[] = [
  row(
    'disrupted, running',
    'condition `DisruptionTarget`; the pod still runs',
    'it is about to end',
    ['Unknown', 'Evicted'],
    'goes on',
  ),
  row(
    'disrupted, node silent',
    'the same, and an hour after `deletionTimestamp` it is still there',
    'its node does not answer: another pod may not run beside it',
    ['False', 'NodeLost'],
    'end',
  ),
  row('running', 'phase `Running`', 'its steps run', ['Unknown', ''], 'goes on'),
  row(
    'running in sequence',
    'phase `Pending`, a step that is an init container runs',
    'the steps after it wait for their turn',
    ['Unknown', 'PodInitializing'],
    'goes on',
  ),
];

const waits: readonly PodRow[] = [
  row(
    'unschedulable',
    'condition `PodScheduled` False, `Unschedulable`',
    'no node takes it',
    ['Unknown', 'Unschedulable'],
    'a day, then its end',
  ),
  row(
    'gated',
    'condition `PodScheduled` False, `SchedulingGated`',
    'somebody holds it back',
    ['Unknown', 'SchedulingGated'],
    'a day, then its end',
  ),
  row(
    'no scheduler',
    'no condition `PodScheduled`',
    'its scheduler does not run',
    ['Unknown', ''],
    'a day, then its end',
  ),
  row(
    'claim unschedulable',
    'condition `PodScheduled` False; the message speaks of a volume or claim',
    'the cache cannot be where a node is',
    ['Unknown', 'Unschedulable'],
    'five minutes, then another pod',
  ),
  row(
    'image pull',
    'container waiting: `ErrImagePull`, `ImagePullBackOff`, `InvalidImageName`, `ErrImageNeverPull`, `ImageInspectError`, `RegistryUnavailable`, `SignatureValidationFailed`',
    'an image cannot be had',
    ['Unknown', 'ImagePullBackOff'],
    'an hour, then its end',
  ),
  row(
    'container creation',
    'container waiting: `CreateContainerConfigError`, `CreateContainerError`, `RunContainerError`, `PostStartHookError`, …',
    'the node cannot make it',
    ['Unknown', 'CreateContainerConfigError'],
    'an hour, then its end',
  ),
  row(
    'sidecar loops',
    'native sidecar that was started again and is not ready, or waits in `CrashLoopBackOff`, before any step ran',
    'what steps wait for fails again and again',
    ['Unknown', 'CrashLoopBackOff'],
    'an hour, then its end',
  ),
  row(
    'starting',
    'container waiting: `PodInitializing`, `ContainerCreating`',
    'it is being made, or nobody says why not',
    ['Unknown', 'PodInitializing'],
    'six hours, then its end',
  ),
  row(
    'secret missing',
    'the same for half a minute; a Secret of a volume does not exist',
    'the message names it',
    ['Unknown', 'MissingSecret'],
    'an hour, then its end',
  ),
  row(
    'config map missing',
    'the same with a ConfigMap',
    'the message names it',
    ['Unknown', 'MissingConfigMap'],
    'an hour, then its end',
  ),
  row(
    'claim missing',
    'the same with the claim of the cache',
    'the message names it',
    ['Unknown', 'MissingClaim'],
    'five minutes, then another pod',
  ),
  row(
    'mount fails',
    'the same; event `FailedMount`, `FailedAttachVolume`, `FailedCreatePodSandBox`, …',
    'the node’s words',
    ['Unknown', 'FailedMount'],
    'an hour, then its end',
  ),
  row(
    'cache mount fails',
    'event `FailedMount` or `FailedAttachVolume` about the cache',
    'the node’s words',
    ['Unknown', 'FailedMount'],
    'five minutes, then another pod',
  ),
];

const refusals: readonly PodRow[] = [
  row(
    'policy',
    'POST denied by a webhook, a ValidatingAdmissionPolicy, Pod Security: 400, 403, 422, …',
    'the policy’s words',
    ['Unknown', 'PodRefused'],
    'asked for again',
  ),
  row(
    'class missing',
    'POST 403: no such PriorityClass or RuntimeClass',
    'the message names it',
    ['Unknown', 'PodRefused'],
    'asked for again',
  ),
  row(
    'quota',
    'POST 403: `exceeded quota`, limits of the namespace, no grant',
    'the API server’s words',
    ['Unknown', 'Retrying'],
    'asked for again',
  ),
  row('invalid', 'POST 400 or 422 of the API itself', 'a field can never work', ['False', 'Invalid'], 'end'),
];

const foreign: readonly PodRow[] = [
  row(
    'others keep it',
    'steps are over, a container of others runs on',
    'the Build has its result, and the pod is ended',
    ['True', 'Completed'],
    'end',
  ),
  row(
    'others keep it, failed',
    'the same after a step failed',
    'the Build has its result, and the pod is ended',
    ['False', 'Failed'],
    'end',
  ),
  row(
    'sidecar failed',
    'a native sidecar or init container of others ended badly beside a failed step',
    'the step is to blame',
    ['False', 'Failed'],
    'end',
  ),
  row(
    'others cannot start',
    'a regular container of others cannot start',
    'steps go on without it',
    ['Unknown', 'PodInitializing'],
    'goes on',
  ),
];

/** All rows, in the order of the page. */
export const podRows: readonly PodRow[] = [...ends, ...disruptions, ...goings, ...waits, ...refusals, ...foreign];

/** The table as docs/builds.md has it. */
export const podTable = (): string => {
  const lines = podRows.map(({ written, meaning, status, reason, fate }) => {
    const condition = reason === '' ? status : `${status}, \`${reason}\``;
    return `| ${written} | ${meaning} | ${condition} | ${fate} |`;
  });
  return ['| Kubernetes shows | which means | `Succeeded` | then |', '| --- | --- | --- | --- |', ...lines].join('\n');
};
