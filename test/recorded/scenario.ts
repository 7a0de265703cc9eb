/** One way in which a pod ends or waits, made to happen. */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import type { Stage, WantedBuild } from './stage.ts';

/** What is made, what happens to it, and what is recorded of it. */
export interface Scenario {
  /** Names the recording, and the Build. */
  readonly name: string;
  /** Id of the row of the table that it shows (lib/builds/pod-table.ts). */
  readonly row: string;
  /** How it was made to happen, for people. */
  readonly how: string;
  readonly build: WantedBuild;
  /** Makes what there is before the Build. */
  readonly before?: (stage: Stage, namespace: string) => Promise<void>;
  /** Done once the Build is made. */
  readonly act?: (stage: Stage, build: string) => Promise<void>;
  /** Which version of the pod is recorded; the first. */
  readonly is: (pod: Pod) => boolean;
  /** Seconds that it may take. */
  readonly seconds?: number;
  /** An event without which it is not complete. */
  readonly event?: string;
  /** The step whose last log line is told. */
  readonly log?: string;
}

const statuses = ({ status }: Pod) => [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];

/** Whether a container waits for this reason. */
export const waitsFor =
  (...reasons: readonly string[]) =>
  (pod: Pod): boolean =>
    statuses(pod).some(({ state }) => reasons.includes(state?.waiting?.reason ?? ''));

/** Whether a container ended for this reason. */
export const endedFor =
  (reason: string) =>
  (pod: Pod): boolean =>
    statuses(pod).some(({ state }) => state?.terminated?.reason === reason);

/** Whether the pod has the phase. */
export const hasPhase =
  (phase: string) =>
  (pod: Pod): boolean =>
    pod.status?.phase === phase;

/** Whether Kubernetes says that it ends the pod for this. */
export const isDisrupted =
  (reason: string) =>
  ({ status }: Pod): boolean =>
    status?.conditions?.some(({ type, reason: why }) => type === 'DisruptionTarget' && why === reason) ?? false;

/** Both. */
export const both =
  (...all: readonly ((pod: Pod) => boolean)[]) =>
  (pod: Pod): boolean =>
    all.every((isSo) => isSo(pod));
