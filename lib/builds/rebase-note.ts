/** Why a rebase runs in a pod, kept on the pod so that every later pass can say it (DESIGN §3.13). */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import type { Condition } from '../api/condition.ts';
import { succeeded } from './status.ts';

/** Annotation of a rebase pod: why the rebase could not be done without one. */
const rebaseInPodAnnotation = 'build.kpack.io/rebase-in-pod';

/** The pod with the reason noted. */
export const withRebasePodNote = (pod: Pod, because: string): Pod => ({
  ...pod,
  metadata: { ...pod.metadata, annotations: { ...pod.metadata?.annotations, [rebaseInPodAnnotation]: because } },
});

/** The condition with the pod's note while it has nothing of its own to say. */
export const rebasePodNote = (pod: Pod, condition: Condition): Condition => {
  const because = pod.metadata?.annotations?.[rebaseInPodAnnotation];
  return because === undefined || condition.status !== 'Unknown' || (condition.reason ?? '') !== ''
    ? condition
    : succeeded('Unknown', 'RebaseInPod', `rebasing in a pod: ${because}`);
};
