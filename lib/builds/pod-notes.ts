/** Why a pod is not as it was wanted, kept on the pod so that every later pass can say it (DESIGN §3.13, §3.31). */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import type { Condition } from '../api/condition.ts';
import type { ConditionReason } from '../api/reasons.ts';
import { succeeded } from './status.ts';

interface Kind {
  readonly annotation: string;
  readonly reason: ConditionReason;
  readonly says: string;
}

const kinds = {
  /** Why the rebase could not be done without a pod. */
  rebase: { annotation: 'build.kpack.io/rebase-in-pod', reason: 'RebaseInPod', says: 'rebasing in a pod' },
  /** Why steps that were to start at once run one after another. */
  sequence: {
    annotation: 'build.kpack.io/steps-in-sequence',
    reason: 'StepsInSequence',
    says: 'the namespace refused a pod whose steps start at once, so they run one after another',
  },
} as const satisfies Readonly<Record<string, Kind>>;

/** The pod with the reason noted; unchanged without one. */
export const withNote = (pod: Pod, kind: keyof typeof kinds, because: string | undefined): Pod =>
  because === undefined
    ? pod
    : {
        ...pod,
        metadata: {
          ...pod.metadata,
          annotations: { ...pod.metadata?.annotations, [kinds[kind].annotation]: because },
        },
      };

/** The condition with the pod's note while it has nothing of its own to say. */
export const withNoteOf = (pod: Pod, condition: Condition): Condition => {
  if (condition.status !== 'Unknown' || (condition.reason ?? '') !== '') return condition;
  for (const { annotation, reason, says } of Object.values(kinds)) {
    const because = pod.metadata?.annotations?.[annotation];
    if (because !== undefined) return succeeded('Unknown', reason, `${says}: ${because}`);
  }
  return condition;
};
