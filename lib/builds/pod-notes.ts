/** What is to be said of a pod beyond what it says itself, kept on the pod so that every later pass can say it (DESIGN §3.13, §3.31). */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import type { Condition } from '../api/condition.ts';
import type { ConditionReason } from '../api/reasons.ts';
import { succeeded } from './status.ts';

interface Kind {
  readonly annotation: string;
  readonly reason: ConditionReason;
  readonly says: string;
  /** It is said of the image too, once it is built. */
  readonly stays?: true;
}

const kinds = {
  /** Why the rebase could not be done without a pod. */
  rebase: { annotation: 'build.kpack.io/rebase-in-pod', reason: 'RebaseInPod', says: 'rebasing in a pod' },
  /** Why what was to be rebased is built from source. */
  source: {
    annotation: 'build.kpack.io/built-from-source',
    reason: 'BuiltFromSource',
    says: 'built from source, as the last image cannot be rebased',
    stays: true,
  },
  /** Why steps that were to start at once run one after another. */
  sequence: {
    annotation: 'build.kpack.io/steps-in-sequence',
    reason: 'StepsInSequence',
    says: 'the namespace refused a pod whose steps start at once, so they run one after another',
  },
  /** Why the cache of the Build is not used. */
  cache: {
    annotation: 'build.kpack.io/without-cache',
    reason: 'WithoutCache',
    says: 'built without its cache',
    stays: true,
  },
  /** Which pod of the Build it is, and what became of the one before. */
  again: {
    annotation: 'build.kpack.io/tried-again',
    reason: 'TriedAgain',
    says: 'tried again',
    stays: true,
  },
} as const satisfies Readonly<Record<string, Kind>>;

type Note = keyof typeof kinds;

/** What is to be noted on a pod, by kind. */
export type Notes = Readonly<Partial<Record<Note, string | undefined>>>;

/** The pod with what is noted; unchanged without anything. */
export const withNotes = (pod: Pod, notes: Notes): Pod => {
  const annotations = Object.entries(kinds).flatMap(([kind, { annotation }]): [string, string][] => {
    const because = notes[kind as Note];
    return because === undefined ? [] : [[annotation, because]];
  });
  if (annotations.length === 0) return pod;
  const all = { ...pod.metadata?.annotations, ...Object.fromEntries(annotations) };
  return { ...pod, metadata: { ...pod.metadata, annotations: all } };
};

/** What is noted on the pod of one kind. */
export const noteOf = (pod: Pod, kind: Note): string | undefined => pod.metadata?.annotations?.[kinds[kind].annotation];

const said = (pod: Pod): readonly { readonly kind: Kind; readonly text: string }[] =>
  Object.entries(kinds).flatMap(([name, kind]) => {
    const because = noteOf(pod, name as Note);
    return because === undefined ? [] : [{ kind, text: `${kind.says}: ${because}` }];
  });

/** What is still to be said when the pod has ended; empty when nothing is. */
export const remarkOf = (pod: Pod): string =>
  said(pod)
    .filter(({ kind }) => kind.stays === true)
    .map(({ text }) => text)
    .join('; ');

/** The condition with the pod's notes while it has nothing of its own to say; the reason is the first's. */
export const withNoteOf = (pod: Pod, condition: Condition): Condition => {
  if (condition.status !== 'Unknown' || (condition.reason ?? '') !== '') return condition;
  const all = said(pod);
  const [first] = all;
  if (first === undefined) return condition;
  return succeeded('Unknown', first.kind.reason, all.map(({ text }) => text).join('; '));
};
