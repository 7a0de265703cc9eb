/** What a pod says about the build's steps (spec 02 §6.5). Pure; the pod is never changed. */
import type { ContainerState, ContainerStateTerminated, ContainerStatus, Pod } from 'kubernetes-types/core/v1.d.ts';
import { holdUpOf } from '../api/hold-up.ts';

const steps: ReadonlySet<string> = new Set([
  'prepare',
  'extend-start',
  'analyze',
  'detect',
  'restore',
  'extend-gate',
  'extend-run',
  'extend-build',
  'build',
  'export',
  'completion',
  'rebase',
]);

/** Whether a container is a step of the build; others were injected by somebody. */
export const isStep = (container: string): boolean => steps.has(container);

/** Statuses of init containers in pod order, steps and foreign ones. */
export const initStatuses = (pod: Pod): readonly ContainerStatus[] => pod.status?.initContainerStatuses ?? [];

/** Statuses of regular containers in pod order: kubelets sort them by name. */
export const containerStatuses = (pod: Pod): readonly ContainerStatus[] => {
  const place = new Map((pod.spec?.containers ?? []).map(({ name }, index) => [name, index]));
  const placeOf = ({ name }: ContainerStatus): number => place.get(name) ?? 0;
  return (pod.status?.containerStatuses ?? []).toSorted((a, b) => placeOf(a) - placeOf(b));
};

const stepStatuses = (pod: Pod): readonly ContainerStatus[] =>
  [...initStatuses(pod), ...containerStatuses(pod)].filter(({ name }) => isStep(name));

/** What a container said last. What `prepare` says when it ends well is for provenance (source-message.ts), and to kpack's clients nothing. */
const messageOf = (name: string, { exitCode, message = '' }: ContainerStateTerminated): string =>
  name === 'prepare' && exitCode === 0 ? '' : message;

/** The state with a message where Kubernetes left it blank. */
export const stateOf = ({ name, state = {} }: ContainerStatus): ContainerState => {
  const { terminated, waiting } = state;
  if (terminated !== undefined) {
    const ending = terminated.exitCode === 0 ? 'terminated successfully' : 'terminated with error';
    return { terminated: { ...terminated, message: messageOf(name, terminated) || `Container ${name} ${ending}` } };
  }
  if (waiting !== undefined)
    return { waiting: { ...waiting, message: waiting.message || `Container ${name} waiting` } };
  return state;
};

/** State of every step that has one: init containers, then regular ones. */
export const stepStates = (pod: Pod): ContainerState[] => stepStatuses(pod).map(stateOf);

/** Whether a container ended well. */
const endedWell = ({ state }: ContainerStatus): boolean => state?.terminated?.exitCode === 0;

/** Whether a container cannot start, and not because it is not its turn: it has any other reason to wait than that it is being made. */
export const isStuck = ({ state }: ContainerStatus): boolean => holdUpOf(state?.waiting?.reason) !== '';

/** Names of the steps that ended well. */
export const stepsCompleted = (pod: Pod): string[] =>
  stepStatuses(pod)
    .filter(endedWell)
    .map(({ name }) => name);

/** The status of the container `completion`, once the kubelet reports one. */
export const completionStatus = (pod: Pod): ContainerStatus | undefined =>
  containerStatuses(pod).find(({ name }) => name === 'completion');

/** Whether none of its containers will ever run again. */
export const hasEnded = ({ status }: Pod): boolean => status?.phase === 'Succeeded' || status?.phase === 'Failed';

/** Whether its steps are regular containers that start at once, and none an init container. */
export const startsAtOnce = ({ spec }: Pod): boolean =>
  (spec?.containers ?? []).filter(({ name }) => isStep(name)).length > 1;

/** Whether every step of the pod ended well: no kubelet starts one again, so nothing can undo it. */
const haveStepsEndedWell = (pod: Pod): boolean => {
  const named = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].filter(({ name }) =>
    isStep(name),
  );
  const well = new Set(stepsCompleted(pod));
  return named.length > 0 && named.every(({ name }) => well.has(name));
};

/**
 * Whether the image was built: every step ended well, whatever other containers do, and though the pod's phase may follow only a second later;
 * the pod succeeded; or it was ended by its deadline after completion had done its work, which is how pods with never-ending sidecars end
 * (spec 02 §6.5, §6.6).
 */
export const isBuilt = (pod: Pod): boolean => {
  if (pod.status?.phase === 'Succeeded' || haveStepsEndedWell(pod)) return true;
  const completion = completionStatus(pod);
  return (
    pod.status?.phase === 'Failed' &&
    pod.status.reason === 'DeadlineExceeded' &&
    completion !== undefined &&
    endedWell(completion)
  );
};
