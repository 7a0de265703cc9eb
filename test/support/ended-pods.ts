/**
 * Statuses of pods as Kubernetes writes them when it ends pods that did nothing wrong, one for each row of lib/builds/disruption.ts. Where it
 * says `recorded` they have the fields that an API server showed of such a pod (names of containers apart); the others are put
 * together from the words and fields that Kubernetes' own source writes (named beside each), as one cluster cannot be made to show all.
 */
import type { ContainerStatus, Pod, PodCondition } from 'kubernetes-types/core/v1.d.ts';

/** The second at which Kubernetes turned to the pod. */
export const disruptedAt = '2026-11-21T08:31:58Z';

/** DisruptionTarget as it stands among a pod's conditions. */
export const disruptionTarget = (reason: string, message: string): PodCondition => ({
  type: 'DisruptionTarget',
  status: 'True',
  reason,
  message,
  lastTransitionTime: disruptedAt,
});

const container = (name: string, state: ContainerStatus['state'], ready = false): ContainerStatus => ({
  name,
  image: 'docker.io/library/builder:1',
  imageID: '',
  lastState: {},
  ready,
  restartCount: 0,
  ...(state === undefined ? {} : { state }),
});

const ended = (name: string, exitCode: number, reason: string, finishedAt: string, message?: string): ContainerStatus =>
  container(name, {
    terminated: {
      exitCode,
      reason,
      startedAt: '2026-11-21T08:31:40Z',
      finishedAt,
      ...(message === undefined ? {} : { message }),
    },
  });

/** Steps before `build` ended well, `build` was killed after the grace period, the others never began. */
const killedBuild: NonNullable<Pod['status']> = {
  initContainerStatuses: [
    ...['prepare', 'analyze', 'detect', 'restore'].map((name) => ended(name, 0, 'Completed', '2026-11-21T08:31:41Z')),
    ended('build', 137, 'Error', '2026-11-21T08:32:08Z'),
    container('export', { waiting: { reason: 'PodInitializing' } }),
  ],
  containerStatuses: [container('completion', { waiting: { reason: 'PodInitializing' } })],
};

/** One way in which Kubernetes ended a pod, as the API server shows it. */
export interface EndedPod {
  readonly how: string;
  readonly reason: string;
  readonly source: string;
  readonly status: NonNullable<Pod['status']>;
}

const disrupted = (
  how: string,
  reason: string,
  source: string,
  condition: PodCondition,
  rest: NonNullable<Pod['status']> = {},
): EndedPod => ({ how, reason, source, status: { phase: 'Failed', ...killedBuild, conditions: [condition], ...rest } });

const kubelet = (how: string, reason: string, podReason: string, message: string, source: string): EndedPod =>
  disrupted(how, reason, source, disruptionTarget('TerminationByKubelet', message), { reason: podReason, message });

const rejected = (podReason: string, message: string, source: string): EndedPod => ({
  how: `the node rejected it (${podReason})`,
  reason: 'NodeRejected',
  source,
  status: {
    phase: 'Failed',
    reason: podReason,
    message: `Pod was rejected: ${message}`,
    startTime: '2026-11-21T07:59:31Z',
  },
});

/** The pods. */
export const endedPods: readonly EndedPod[] = [
  disrupted(
    'the eviction API',
    'Evicted',
    'recorded',
    disruptionTarget('EvictionByEvictionAPI', 'Eviction API: evicting'),
  ),
  disrupted(
    'the scheduler made room',
    'Preempted',
    'pkg/scheduler/framework/preemption/preemption.go',
    disruptionTarget('PreemptionByScheduler', 'default-scheduler: preempting to accommodate a higher priority pod'),
  ),
  disrupted(
    'a taint NoExecute',
    'Evicted',
    'pkg/controller/tainteviction/taint_eviction.go',
    disruptionTarget('DeletionByTaintManager', 'Taint manager: deleting due to NoExecute taint'),
  ),
  disrupted(
    'a taint of a device',
    'Evicted',
    'pkg/controller/devicetainteviction/device_taint_eviction.go',
    disruptionTarget('DeletionByDeviceTaintManager', 'Device Taint manager: deleting due to NoExecute taint'),
  ),
  disrupted(
    'the node is gone',
    'NodeLost',
    'pkg/controller/podgc/gc_controller.go',
    disruptionTarget('DeletionByPodGC', 'PodGC: node no longer exists'),
    {
      containerStatuses: [container('completion', { waiting: { reason: 'PodInitializing' } })],
      initContainerStatuses: [container('build', { running: { startedAt: '2026-11-21T08:31:40Z' } }, true)],
    },
  ),
  kubelet(
    'the node was shut down',
    'NodeShutdown',
    'Terminated',
    'Pod was terminated in response to imminent node shutdown.',
    'pkg/kubelet/nodeshutdown/nodeshutdown_manager.go',
  ),
  kubelet(
    'a critical pod came',
    'Preempted',
    'Preempting',
    'Preempted in order to admit critical pod',
    'pkg/kubelet/preemption/preemption.go',
  ),
  kubelet(
    'memory of the node',
    'Evicted',
    'Evicted',
    'The node was low on resource: memory. Threshold quantity: 100Mi, available: 45012Ki. ',
    'pkg/kubelet/eviction/helpers.go',
  ),
  disrupted(
    'a reason of a later release',
    'Evicted',
    'made up',
    disruptionTarget('DeletionBySomethingNew', 'Something new: deleting'),
  ),
  rejected(
    'OutOfcpu',
    "Node didn't have enough resource: cpu, requested: 500000, used: 100, capacity: 24000",
    'recorded',
  ),
  rejected('NodeAffinity', 'Predicate NodeAffinity failed', 'pkg/kubelet/lifecycle/predicate.go'),
  rejected(
    'UnexpectedAdmissionError',
    'Allocate failed due to no healthy devices present; cannot allocate unhealthy devices nvidia.com/gpu, which is unexpected',
    'pkg/kubelet/lifecycle/predicate.go',
  ),
  rejected(
    'NodeShutdown',
    'Pod was rejected as the node is shutting down.',
    'pkg/kubelet/nodeshutdown/nodeshutdown_manager.go',
  ),
  rejected('Evicted', 'The node had condition: [DiskPressure]. ', 'pkg/kubelet/eviction/eviction_manager.go'),
  {
    how: 'the kubelet lost the container',
    reason: 'NodeLost',
    source: 'pkg/kubelet/kubelet_pods.go',
    status: {
      phase: 'Failed',
      initContainerStatuses: [
        ended('prepare', 0, 'Completed', '2026-11-21T08:31:41Z'),
        ended(
          'build',
          137,
          'ContainerStatusUnknown',
          disruptedAt,
          'The container could not be located when the pod was terminated',
        ),
      ],
    },
  },
  {
    how: 'the node was restarted',
    reason: 'NodeLost',
    source: 'containerd, internal/cri/server/restart.go',
    status: {
      phase: 'Failed',
      initContainerStatuses: [
        ended('prepare', 0, 'Completed', '2026-11-21T08:31:41Z'),
        ended('build', 255, 'Unknown', disruptedAt),
      ],
    },
  },
];
