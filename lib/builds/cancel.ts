/** A Build that is cancelled: its pod is deleted, the Build stays as history (DESIGN §5). Pure: what to do, not the doing. */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import type { Build } from '../api/build.ts';
import { cancelAnnotation } from '../api/labels.ts';
import { isDeleting } from '../kube/object.ts';

/** Whether somebody asked for the Build to be cancelled; `false` takes it back as long as nothing was done. */
export const isCancelled = (build: Build): boolean => {
  const asked = build.metadata.annotations?.[cancelAnnotation];
  return asked !== undefined && asked !== 'false';
};

/** Seconds that a node gets beyond the pod's grace period to say that the pod is gone. */
const patienceSeconds = 60;

/** What a cancelled Build's pod asks for. */
export type Cancelling =
  /** The pod ended before: its end stands. */
  | 'ended'
  /** Its deletion is to be asked for. */
  | 'delete'
  /** Its containers are being stopped. */
  | 'wait'
  /** There is none, or a node that does not answer cannot say so. */
  | 'gone';

/** How far the cancelling is. */
export const cancelling = (pod: Pod | undefined, now: Date): Cancelling => {
  if (pod === undefined) return 'gone';
  const phase = pod.status?.phase ?? '';
  if (phase === 'Succeeded') return 'ended';
  if (!isDeleting(pod)) return phase === 'Failed' ? 'ended' : 'delete';
  // The time by which the pod is to be gone, grace period included.
  const until = Date.parse(pod.metadata?.deletionTimestamp ?? '');
  return until + patienceSeconds * 1000 < now.getTime() ? 'gone' : 'wait';
};
