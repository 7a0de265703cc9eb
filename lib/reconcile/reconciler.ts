/** What a reconciler is: a function of one live object and the pass it runs in. It knows nothing of Lambda, SQS or DynamoDB. */
import type { ExpectedError, PermanentError } from '../errors/expected.ts';
import type { Transition } from '../events/transition.ts';
import type { KubeClient } from '../kube/client.ts';
import type { KubeObject } from '../kube/object.ts';
import type { Reason } from '../queue/message.ts';
import type { Dependency } from '../state/keys.ts';
import type { Outcome } from './outcome.ts';

/** An object with a status subresource. */
export type Reconcilable = KubeObject & { readonly status?: unknown };

/** One run of a reconciler for one key: what it may use, and what it tells the runner. */
export interface Pass {
  readonly cluster: string;
  readonly kube: KubeClient;
  /** The time of this pass; rules take it as an argument. */
  readonly now: Date;
  /** Aborts when the pass's budget is spent. */
  readonly signal: AbortSignal;
  /** Why we were woken, all messages united. */
  readonly reasons: ReadonlySet<Reason>;
  /** No pass of this object has ended before, as far as the record knows: what it makes is most likely not there yet. */
  readonly isFirst: boolean;
  /** Passes that failed in a row before this one. */
  readonly attempts: number;
  /** Seconds of the budget that are left; long work stops in time and answers `again`. */
  remainingSeconds(): number;
  /**
   * Declares everything this object depends on, before any of it is read: a change in between is then not lost (DESIGN §3.8).
   * Replaces what earlier passes declared. Name `*` means every object of that kind and namespace.
   * @throws PermanentError when they are too many, StateError
   */
  dependOn(dependencies: readonly Dependency[]): Promise<void>;
  /** PUTs the status if it says anything new; gives back the object as it now is. @throws KubeError `conflict` */
  writeStatus<T extends Reconcilable>(object: T, status: T['status']): Promise<T>;
  /** Text kept in the record for the next pass; undefined when there is none. Lost when the record is. */
  readonly memory: string | undefined;
  remember(text: string | undefined): void;
  /**
   * Remembers which version of a child or source this pass has decided on. A later list that finds the same version then wakes
   * nobody; what was not seen, or has changed in a gap of the watch, does (DESIGN §3.4).
   */
  saw(...objects: readonly KubeObject[]): void;
  /** Wakes something else in this cluster, through its queue, with reason `dependency`. */
  wake(target: Dependency): Promise<void>;
  /**
   * Wakes an object that this pass has just made, as given back by the API server, with the very message that the relay will send when it hears of
   * it: the queue takes that for the same, or the skip rule does (DESIGN §3.2, §3.4). Nobody waits for the watch.
   */
  handOver(made: KubeObject): Promise<void>;
  /**
   * Says that this pass has done all that a pass of the child would do, and given it the status that `written` has; `before` are the versions it
   * had on the way. Events of these versions then wake nobody.
   */
  settleChild(written: KubeObject, before: readonly KubeObject[]): Promise<void>;
}

/** A kind's reconciler. */
export interface Reconciler<T extends Reconcilable> {
  readonly kind: string;
  /** Observe, decide, act. Safe to run twice at once and to die after any line. */
  reconcile(object: T, pass: Pass): Promise<Outcome>;
  /** What a new status tells of; undefined when nothing happened that is worth telling (lib/events). */
  transition?(before: T, after: T['status']): Transition | undefined;
  /** The status that tells the user about a failed pass, last good fields kept. Undefined: say nothing. */
  statusOnFailure?(object: T, failure: ExpectedError | PermanentError, now: Date): T['status'] | undefined;
}
