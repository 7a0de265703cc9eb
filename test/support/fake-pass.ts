/** Passes of a reconciler over the fake API, in the runner's order (lib/reconcile/run.ts) but without records, queue or retries. */
import { ExpectedError, PermanentError } from '../../lib/errors/expected.ts';
import { isDeleting, type ObjectKey } from '../../lib/kube/object.ts';
import type { Outcome } from '../../lib/reconcile/outcome.ts';
import type { Pass, Reconcilable, Reconciler } from '../../lib/reconcile/reconciler.ts';
import { sameStatus } from '../../lib/reconcile/same-status.ts';
import type { Dependency } from '../../lib/state/keys.ts';
import type { FakeKube } from './fake-kube.ts';

/** What came of a pass. */
export interface PassEnd {
  /** The reconciler's answer, or the expected failure; `gone` when there was nothing to reconcile. */
  readonly outcome: Outcome | 'gone' | ExpectedError | PermanentError;
  /** What it declared to depend on. */
  readonly dependencies: readonly Dependency[];
  /** Whether something had been declared before anything but the object itself was read (DESIGN §3.8). */
  readonly declaredFirst: boolean;
  /** Writes of this pass, in order. */
  readonly writes: readonly string[];
  /** Reads of this pass, that of the object itself included. */
  readonly reads: number;
}

/** Runs one pass. @throws what is a bug, and Died */
export const fakePass = async <T extends Reconcilable>(
  reconciler: Reconciler<T>,
  kube: FakeKube,
  key: ObjectKey,
  now: Date = kube.now,
): Promise<PassEnd> => {
  kube.forget();
  let dependencies: readonly Dependency[] = [];
  let declaredFirst = false;
  const pass: Pass = {
    cluster: 'test',
    kube,
    now,
    signal: AbortSignal.timeout(30_000),
    reasons: new Set(['self']),
    attempts: 0,
    memory: undefined,
    remainingSeconds: () => 60,
    dependOn: (wanted) => {
      dependencies = wanted;
      declaredFirst = kube.calls.length === 1;
      return Promise.resolve();
    },
    writeStatus: (object, status) =>
      sameStatus(object.status, status) ? Promise.resolve(object) : kube.replaceStatus({ ...object, status }),
    remember: () => undefined,
    saw: () => undefined,
    wake: () => Promise.resolve(),
  };
  const end = (outcome: PassEnd['outcome']): PassEnd => ({
    outcome,
    dependencies,
    declaredFirst,
    writes: kube.writes,
    reads: kube.readCount,
  });
  const object = await kube.get<T>(key);
  if (object === undefined || isDeleting(object)) return end('gone');
  try {
    return end(await reconciler.reconcile(object, pass));
  } catch (error) {
    if (!(error instanceof ExpectedError || error instanceof PermanentError)) throw error;
    const status = reconciler.statusOnFailure?.(object, error, now);
    // As in the runner: that telling the user fails too changes nothing.
    if (status !== undefined)
      await pass.writeStatus(object, status).catch((failure: unknown) => {
        if (!(failure instanceof ExpectedError)) throw failure;
      });
    return end(error);
  }
};
