/**
 * Another pod for a Build whose own was taken away, or that is to go without its cache. Of the same name, so that there are never two: the old one
 * is gone from the API server before the new one is made. Each step can be repeated after a death: the condition says it first, then the old pod
 * is deleted, then the record knows; a later pass finds out from any of the three how far it came.
 */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import type { Build, BuildStatus } from '../api/build.ts';
import type { Condition } from '../api/condition.ts';
import type { ConditionReason } from '../api/reasons.ts';
import { isDeleting } from '../kube/object.ts';
import { conditionOf } from '../reconcile/conditions.ts';
import { again, type Outcome } from '../reconcile/outcome.ts';
import type { Pass } from '../reconcile/reconciler.ts';
import { type BuildMemory, memoryText } from './build-memory.ts';
import { type Notes, noteOf } from './pod-notes.ts';
import type { Retreat } from './retreat.ts';
import { podStatus, succeeded } from './status.ts';
import {
  awaitedText,
  firstTry,
  isAwaited,
  type RetryPolicy,
  readTries,
  retryPolicyOf,
  type Tries,
  triesText,
  waitSeconds,
} from './tries.ts';

/** Longest time between two looks at a pod that is to be gone, seconds: its events wake us sooner. */
const lookAgainSeconds = 45;
/** A node that does not say for so long that a pod is gone will not, seconds. */
const deletingSeconds = 3600;

/** What the reconciler does for it. */
export interface AnotherPodPorts {
  readonly policy?: RetryPolicy | undefined;
  readonly write: (
    build: Build,
    pass: Pass,
    status: BuildStatus & { readonly conditions: readonly Condition[] },
    pod?: Pod | 'none',
  ) => Promise<Outcome>;
  /** Keeps the logs of a pod after which another is made; `number`: which pod of the Build it is. */
  readonly keepLogs: (build: Build, pod: Pod | 'gone', number: number, pass: Pass) => Promise<void>;
  /** Gives the slot back: nothing runs meanwhile. */
  readonly leave: (build: Build, pass: Pass) => Promise<void>;
}

/** Why, and which one it will be. */
export interface Next {
  readonly reason: ConditionReason;
  readonly because: string;
  readonly tries: Tries;
  /** What it does without, if anything (retreat.ts): then it is made at once. */
  readonly retreat?: Retreat | undefined;
}

/** How often the Build was tried, by its record, else by its pod. */
export const triesOf = ({ tries }: BuildMemory, pod: Pod | 'gone'): Tries =>
  tries ?? readTries(pod === 'gone' ? '' : (noteOf(pod, 'again') ?? '')) ?? firstTry;

/** What is noted on the next pod of the Build. */
export const notesOf = ({ next, cacheless, fromSource }: BuildMemory): Notes => ({
  again: next?.because,
  ...(cacheless !== undefined && { cache: cacheless }),
  ...(fromSource !== undefined && { source: fromSource }),
});

/** The Build without its cache, where it goes without. */
export const withCacheOf = (build: Build, { cacheless }: BuildMemory): Build =>
  cacheless === undefined ? build : { ...build, spec: { ...build.spec, cache: {} } };

/** What the record keeps of a retreat. */
const withoutSaid = (reason: string | undefined, because: string): Partial<BuildMemory> => {
  if (reason === 'WithoutCache') return { cacheless: because };
  return reason === 'BuiltFromSource' ? { fromSource: because } : {};
};

/**
 * What the record would say of a Build that waits for its next pod, from its condition: after a death between the deletion of the old one and the
 * record. Undefined for one that does not wait.
 */
const nextSaid = (build: Build, policy: RetryPolicy): Partial<BuildMemory> | undefined => {
  const said = conditionOf(build, 'Succeeded');
  const because = said?.message ?? '';
  const tries = readTries(because);
  if (said?.status !== 'Unknown' || tries === undefined || !isAwaited(because)) return undefined;
  const since = Date.parse(said.lastTransitionTime ?? '') / 1000 || 0;
  return {
    tries,
    next: { at: Math.floor(since) + waitSeconds(tries, policy), because },
    ...withoutSaid(said.reason, because),
  };
};

/** Makes Builds wait for their next pod. */
export const anotherPod = ({ policy: installation, write, keepLogs, leave }: AnotherPodPorts) => ({
  /** Says that there will be another pod, and takes the old one away. Throws PermanentError for an annotation that cannot be read. */
  after: async (
    build: Build,
    pass: Pass,
    memory: BuildMemory,
    { reason, because, tries, retreat }: Next,
    pod: Pod | 'gone',
  ): Promise<Outcome> => {
    const policy = retryPolicyOf(build, installation);
    const seconds = retreat === undefined ? waitSeconds(tries, policy) : 1;
    const text = `${because}; ${triesText(tries, policy)}`;
    const conditions = [succeeded('Unknown', reason, `${because}; ${awaitedText(tries, policy, seconds)}`)];
    await write(build, pass, { ...(pod === 'gone' ? {} : podStatus(pod)), conditions });
    await keepLogs(build, pod, tries.pods - 1, pass);
    if (pod !== 'gone' && !isDeleting(pod)) await pass.kube.delete(pod);
    await leave(build, pass);
    const at = Math.floor(pass.now.getTime() / 1000) + seconds;
    const { pod: _, disrupted: __, toldAt: ___, node: ____, ...rest } = memory;
    const over = pod === 'gone' ? undefined : pod.metadata?.uid;
    const without = withoutSaid(retreat?.reason, because);
    pass.remember(memoryText({ ...rest, tries, ...without, next: { at, over, because: `${reason}: ${text}` } }));
    return again(seconds, 'another pod is made then');
  },

  /**
   * The record of a Build that waits for its next pod, completed by what its condition says; undefined for one that does not wait, as its next pod
   * is there.
   */
  waiting: (build: Build, memory: BuildMemory, pod: Pod | undefined): BuildMemory | undefined => {
    if (memory.next !== undefined)
      return pod === undefined || pod.metadata?.uid === memory.next.over ? memory : undefined;
    if (pod !== undefined) return undefined;
    const found = nextSaid(build, retryPolicyOf(build, installation));
    if (found === undefined) return undefined;
    const { pod: _, disrupted: __, ...rest } = memory;
    return { ...rest, ...found };
  },

  /** Waits until the old pod is gone and the time has come; `make` is called then. */
  whenDue: async (
    build: Build,
    pass: Pass,
    { next }: BuildMemory,
    pod: Pod | undefined,
    make: () => Promise<Outcome>,
  ): Promise<Outcome> => {
    const now = pass.now.getTime() / 1000;
    if (pod !== undefined) {
      if (!isDeleting(pod)) await pass.kube.delete(pod);
      const since = Date.parse(pod.metadata?.deletionTimestamp ?? '') / 1000 || now;
      if (now - since < deletingSeconds) return again(lookAgainSeconds, 'the pod before is not gone yet');
      const text = `${next?.because ?? ''}; its node does not say that the pod is gone, and another may not run beside it`;
      return write(build, pass, { conditions: [succeeded('False', 'NodeLost', text)] }, 'none');
    }
    const seconds = Math.ceil((next?.at ?? now) - now);
    return seconds > 0 ? again(seconds, 'another pod is made then') : make();
  },
});
