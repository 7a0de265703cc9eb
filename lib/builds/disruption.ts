/**
 * What ends a pod that did nothing wrong, as Kubernetes says it: in the pod's condition DisruptionTarget, in its reason, or in a container's.
 * Such a Build is tried again with another pod. Everything else a step did, or somebody who deleted the pod. Pure; the table in docs/builds.md
 * is made from these rows.
 */
import type { Pod, PodCondition } from 'kubernetes-types/core/v1.d.ts';
import { isDeleting } from '../kube/object.ts';
import { deletionAskedAt } from './ended-by-deletion.ts';
import { failedByItself, wasLost } from './failed-step.ts';
import { containerStatuses, initStatuses, isStep } from './steps.ts';

/** Reasons of conditions for it. */
export const disruptionReasons = ['Evicted', 'Preempted', 'NodeShutdown', 'NodeLost', 'NodeRejected'] as const;

/** One of them. */
export type DisruptionReason = (typeof disruptionReasons)[number];

/** One way in which Kubernetes ends pods. */
export interface DisruptionRow {
  /** What the API server shows of it. */
  readonly written: string;
  readonly reason: DisruptionReason;
  /** Who does it and why, for people. */
  readonly meaning: string;
  /** Kubernetes' words when it is so; undefined when it is not. */
  readonly words: (pod: Pod) => string | undefined;
}

/** Kubernetes says first that it ends a pod, and deletes it then, in the same second but for clocks of the control plane that differ. */
const clocksDifferBySeconds = 30;

/**
 * Kubernetes' word for it that it ends the pod. Who evicts pods does so with those too that somebody deleted before and whose node does not
 * answer: these are deleted, not evicted.
 */
const target = (pod: Pod): PodCondition | undefined => {
  const found = pod.status?.conditions?.find(({ type, status: is }) => type === 'DisruptionTarget' && is === 'True');
  const askedAt = deletionAskedAt(pod) ?? Number.POSITIVE_INFINITY;
  const isLater = Date.parse(found?.lastTransitionTime ?? '') > askedAt + clocksDifferBySeconds * 1000;
  return isLater ? undefined : found;
};

const byCondition =
  (reason: string, podReason?: string): DisruptionRow['words'] =>
  (pod) => {
    const found = target(pod);
    if (found?.reason !== reason) return undefined;
    if (podReason !== undefined && pod.status?.reason !== podReason) return undefined;
    return pod.status?.message || found.message || reason;
  };

const rejected = 'Pod was rejected: ';

const statusesOf = (pod: Pod) => [...initStatuses(pod), ...containerStatuses(pod)];

/**
 * A step that the node lost, as kubelets (`ContainerStatusUnknown`) and runtimes (`Unknown`, exit code 255) report it after a restart. Kubelets say
 * the same of one whose pod somebody deleted.
 */
const lostContainer: DisruptionRow['words'] = (pod) => {
  if (pod.status?.phase !== 'Failed' || isDeleting(pod) || statusesOf(pod).some(failedByItself)) return undefined;
  const lost = statusesOf(pod).find(
    ({ name, state }) => isStep(name) && state?.terminated !== undefined && wasLost(state.terminated),
  );
  if (lost === undefined) return undefined;
  return `container ${lost.name}: ${lost.state?.terminated?.message || 'its node was restarted while it ran'}`;
};

/** First match wins. */
export const disruptionRows: readonly DisruptionRow[] = [
  {
    written: 'condition `DisruptionTarget`, `EvictionByEvictionAPI`',
    reason: 'Evicted',
    meaning: 'the eviction API: `kubectl drain`, an autoscaler, a descheduler',
    words: byCondition('EvictionByEvictionAPI'),
  },
  {
    written: 'condition `DisruptionTarget`, `PreemptionByScheduler`',
    reason: 'Preempted',
    meaning: 'the scheduler made room for a pod of higher priority',
    words: byCondition('PreemptionByScheduler'),
  },
  {
    written: 'condition `DisruptionTarget`, `DeletionByTaintManager`',
    reason: 'Evicted',
    meaning: 'the node got a taint `NoExecute`: it is not ready, not reachable, or somebody put it there',
    words: byCondition('DeletionByTaintManager'),
  },
  {
    written: 'condition `DisruptionTarget`, `DeletionByDeviceTaintManager`',
    reason: 'Evicted',
    meaning: 'a device of the pod got a taint `NoExecute`',
    words: byCondition('DeletionByDeviceTaintManager'),
  },
  {
    written: 'condition `DisruptionTarget`, `DeletionByPodGC`',
    reason: 'NodeLost',
    meaning: 'the node is gone, and the pod with it',
    words: byCondition('DeletionByPodGC'),
  },
  {
    written: 'condition `DisruptionTarget`, `TerminationByKubelet`; reason `Terminated`',
    reason: 'NodeShutdown',
    meaning: 'the node was shut down',
    words: byCondition('TerminationByKubelet', 'Terminated'),
  },
  {
    written: 'condition `DisruptionTarget`, `TerminationByKubelet`; reason `Preempting`',
    reason: 'Preempted',
    meaning: 'the node made room for a critical pod',
    words: byCondition('TerminationByKubelet', 'Preempting'),
  },
  {
    written: 'condition `DisruptionTarget`, `TerminationByKubelet`; reason `Evicted`',
    reason: 'Evicted',
    meaning: 'the node ran short of memory, disk or process ids',
    words: byCondition('TerminationByKubelet'),
  },
  {
    written: 'condition `DisruptionTarget`, any other reason',
    reason: 'Evicted',
    meaning: 'a newer Kubernetes, or somebody else, evicts it',
    words: (pod) => {
      const found = target(pod);
      return found === undefined ? undefined : found.message || found.reason || 'DisruptionTarget';
    },
  },
  {
    written:
      'phase `Failed`, message `Pod was rejected: …`; reasons `OutOfcpu`, `NodeAffinity`, `NodeShutdown`, `UnexpectedAdmissionError`, …',
    reason: 'NodeRejected',
    meaning: 'the node that was chosen did not take the pod; no container ran',
    words: ({ status }) =>
      status?.phase === 'Failed' && (status.message ?? '').startsWith(rejected)
        ? `${status.reason ?? ''}: ${status.message?.slice(rejected.length) ?? ''}`
        : undefined,
  },
  {
    written: 'phase `Failed`; container reason `ContainerStatusUnknown`, or `Unknown` with exit code 255',
    reason: 'NodeLost',
    meaning: 'the node was restarted, or lost the container',
    words: lostContainer,
  },
];

/** Longest part of Kubernetes' words that is told and remembered, characters. */
const longestWords = 800;

/** What ended the pod, or is about to. */
export interface Disruption {
  readonly reason: DisruptionReason;
  /** Kubernetes' words. */
  readonly words: string;
}

/** Whether a step had failed by itself before Kubernetes turned to the pod: then that is how the Build ended. Times are whole seconds. */
const hadFailed = (pod: Pod): boolean => {
  const at = Date.parse(target(pod)?.lastTransitionTime ?? '');
  return statusesOf(pod).some(
    (status) => failedByItself(status) && Date.parse(status.state?.terminated?.finishedAt ?? '') < at,
  );
};

/** What Kubernetes ends or ended the pod for, whatever its steps did; undefined when it leaves it alone, or a step had failed before. */
export const disruptionOf = (pod: Pod): Disruption | undefined => {
  for (const { reason, words } of disruptionRows) {
    const said = words(pod);
    if (said !== undefined) return hadFailed(pod) ? undefined : { reason, words: said.slice(0, longestWords) };
  }
  return undefined;
};
