/** One pass of a reconciler over a fake cluster, as the runner does it but without records: failures become the status they should. */
import { ExpectedError, PermanentError } from '../../lib/errors/expected.ts';
import type { KubeClient } from '../../lib/kube/client.ts';
import type { ObjectKey } from '../../lib/kube/object.ts';
import type { Outcome } from '../../lib/reconcile/outcome.ts';
import type { Pass, Reconcilable, Reconciler } from '../../lib/reconcile/reconciler.ts';
import { sameStatus } from '../../lib/reconcile/same-status.ts';
import type { Dependency } from '../../lib/state/keys.ts';

/** What a pass came to. */
export interface PassReport {
  readonly outcome: Outcome | ExpectedError | PermanentError;
  readonly dependencies: readonly Dependency[];
  /** What the next pass will be told. */
  readonly memory: string | undefined;
  /** Whom it woke. */
  readonly woken: readonly Dependency[];
  /** Statuses written. */
  readonly writes: number;
}

/** How the pass is run; a test names only what matters. */
export interface PassSetting {
  readonly now?: Date;
  readonly memory?: string | undefined;
  readonly remainingSeconds?: () => number;
}

/** Runs the reconciler for the object at `key`. Throws what is a bug. */
export const runPass = async <T extends Reconcilable>(
  reconciler: Reconciler<T>,
  kube: KubeClient,
  key: ObjectKey,
  { now = new Date('2026-11-21T09:00:00Z'), memory, remainingSeconds = () => 60 }: PassSetting = {},
): Promise<PassReport> => {
  let dependencies: readonly Dependency[] = [];
  let remembered = memory;
  const woken: Dependency[] = [];
  let writes = 0;
  const pass: Pass = {
    cluster: 'test',
    kube,
    now,
    signal: AbortSignal.timeout(30_000),
    reasons: new Set(['self']),
    attempts: 0,
    remainingSeconds,
    dependOn: (wanted) => {
      dependencies = wanted;
      return Promise.resolve();
    },
    writeStatus: async (object, status) => {
      if (sameStatus(object.status, status)) return object;
      writes += 1;
      return kube.replaceStatus({ ...object, status });
    },
    memory,
    saw: () => undefined,
    remember: (text) => {
      remembered = text;
    },
    wake: (target) => {
      woken.push(target);
      return Promise.resolve();
    },
  };
  const object = await kube.get<T>(key);
  if (object === undefined) throw new Error(`${key.kind} ${key.name} is not in the fake cluster`);
  let outcome: PassReport['outcome'];
  try {
    outcome = await reconciler.reconcile(object, pass);
  } catch (error) {
    if (!(error instanceof ExpectedError || error instanceof PermanentError)) throw error;
    outcome = error;
    const status = reconciler.statusOnFailure?.(object, error, now);
    if (status !== undefined) await pass.writeStatus(object, status);
  }
  return { outcome, dependencies, memory: remembered, woken, writes };
};
