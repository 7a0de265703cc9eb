/** Whether a failure of a pass is told to the user (DESIGN §3.33): nothing flips, and flips back, for what passes. Pure. */
import { type ExpectedError, PermanentError } from '../errors/expected.ts';
import { isKubeError, KubeError } from '../kube/errors.ts';
import { refusalsOfAStart } from './due.ts';
import type { Reconcilable } from './reconciler.ts';

/** Seconds for which what passes by itself is nobody's news. */
const lastsSeconds = 30;

/** What is known of the failures of an object; times are Unix seconds. */
export interface Failing {
  /** How many there were in a row, this one included. */
  readonly attempts: number;
  /** When the first of them happened. */
  readonly since: number;
  readonly now: number;
}

/** Whether the status speaks of the spec as it is: somebody who has just changed it waits for word, of failures too. */
const isAnswered = ({ metadata, status }: Reconcilable): boolean => {
  const { conditions, observedGeneration } = (status ?? {}) as {
    readonly conditions?: readonly unknown[];
    readonly observedGeneration?: number;
  };
  return (conditions ?? []).length > 0 && observedGeneration === metadata?.generation;
};

/**
 * Invalid input is told at once, and so is what waits for people. What may pass by itself is told once it has lasted, or, when it is a host that a
 * new spec names, at once. The API server is named by nobody: what it answers is told once it has lasted, but for what it forbids, and for
 * somebody else's object where ours would be.
 */
export const isNews = (
  object: Reconcilable,
  failure: ExpectedError | PermanentError,
  { attempts, since, now }: Failing,
): boolean => {
  if (failure instanceof PermanentError || now - since >= lastsSeconds) return true;
  if (isKubeError(failure, 'already-exists')) return true;
  if (isKubeError(failure, 'forbidden')) return attempts > refusalsOfAStart || !isAnswered(object);
  if (failure instanceof KubeError) return false;
  return failure.pace === 'slow' || !isAnswered(object);
};
