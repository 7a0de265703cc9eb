/** One pass of a reconciler over a fake cluster, as the runner would give it, without records. */

import { ExpectedError, PermanentError } from '../../lib/errors/expected.ts';
import { isKubeError } from '../../lib/kube/errors.ts';
import type { KubeObject } from '../../lib/kube/object.ts';
import type { Outcome } from '../../lib/reconcile/outcome.ts';
import type { Pass, Reconcilable, Reconciler } from '../../lib/reconcile/reconciler.ts';
import { sameStatus } from '../../lib/reconcile/same-status.ts';
import type { Dependency } from '../../lib/state/keys.ts';
import type { FakeCluster } from './fake-cluster.ts';

export interface PassOptions {
  readonly now?: Date;
  /** Passes that failed before. */
  readonly attempts?: number;
}

/** What a pass came to: its answer, or the failure that the user was told about. */
export interface PassEnd {
  readonly outcome: Outcome | undefined;
  readonly failure: ExpectedError | PermanentError | undefined;
  readonly dependencies: readonly Dependency[];
}

/** Reads the object at `path`, reconciles it, and on a failure writes the status that tells of it: the runner's order. */
export const runPass = async <T extends Reconcilable & KubeObject>(
  reconciler: Reconciler<T>,
  { kube }: FakeCluster,
  key: { readonly namespace: string; readonly name: string },
  { now = new Date('2026-11-21T09:00:00Z'), attempts = 0 }: PassOptions = {},
): Promise<PassEnd> => {
  let dependencies: readonly Dependency[] = [];
  const pass: Pass = {
    cluster: 'test',
    kube,
    now,
    signal: AbortSignal.timeout(10_000),
    reasons: new Set(['self']),
    attempts,
    memory: undefined,
    remainingSeconds: () => 60,
    dependOn: (wanted) => {
      dependencies = wanted;
      return Promise.resolve();
    },
    writeStatus: async (object, status) =>
      sameStatus(object.status, status) ? object : kube.replaceStatus({ ...object, status }),
    remember: () => undefined,
    saw: () => undefined,
    wake: () => Promise.resolve(),
  };
  let object: T | undefined;
  try {
    object = await kube.get<T>({ kind: reconciler.kind, ...key });
    const outcome = object === undefined ? undefined : await reconciler.reconcile(object, pass);
    return { outcome, failure: undefined, dependencies };
  } catch (error) {
    if (!(error instanceof ExpectedError) && !(error instanceof PermanentError)) throw error;
    if (object !== undefined && !isWrittenByOthers(error)) await tell(reconciler, object, error, pass);
    return { outcome: undefined, failure: error, dependencies };
  }
};

/** The runner repeats such a pass at once and tells nobody. */
const isWrittenByOthers = (error: unknown): boolean =>
  isKubeError(error, 'conflict') || isKubeError(error, 'already-exists');

/** Writes what the failure means to the user; that this fails too is nothing new. */
const tell = async <T extends Reconcilable & KubeObject>(
  reconciler: Reconciler<T>,
  object: T,
  failure: ExpectedError | PermanentError,
  pass: Pass,
): Promise<void> => {
  const status = reconciler.statusOnFailure?.(object, failure, pass.now);
  try {
    if (status !== undefined) await pass.writeStatus(object, status);
  } catch (error) {
    if (!(error instanceof ExpectedError)) throw error;
  }
};
