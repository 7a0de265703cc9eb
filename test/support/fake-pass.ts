/** Passes over the fake API, with what they asked of it. */
import type { ObjectKey } from '../../lib/kube/object.ts';
import type { Reconcilable, Reconciler } from '../../lib/reconcile/reconciler.ts';
import type { FakeKube } from './fake-kube.ts';
import { type PassReport, runPass } from './run-pass.ts';

/** What came of a pass. */
export interface PassEnd extends PassReport {
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
  let declaredFirst = false;
  const declared = (): void => {
    declaredFirst = kube.calls.length === 1;
  };
  const report = await runPass(reconciler, kube, key, { now, declared });
  return { ...report, declaredFirst, writes: kube.writes, reads: kube.readCount };
};
