/** One pass of a reconciler in the runner's order (lib/reconcile/run.ts) but without records, queue or second tries. */
import { ExpectedError, PermanentError } from '../../lib/errors/expected.ts';
import type { KubeClient } from '../../lib/kube/client.ts';
import { isKubeError } from '../../lib/kube/errors.ts';
import { isDeleting, type KubeObject, type ObjectKey } from '../../lib/kube/object.ts';
import type { Outcome } from '../../lib/reconcile/outcome.ts';
import type { Pass, Reconcilable, Reconciler } from '../../lib/reconcile/reconciler.ts';
import { sameStatus } from '../../lib/reconcile/same-status.ts';
import { shownStatus } from '../../lib/reconcile/shown-status.ts';
import type { Dependency } from '../../lib/state/keys.ts';

/** What a pass came to. */
export interface PassReport {
  /** The reconciler's answer, or the expected failure; `gone` when there was nothing to reconcile. */
  readonly outcome: Outcome | 'gone' | ExpectedError | PermanentError;
  readonly dependencies: readonly Dependency[];
  /** What the next pass will be told. */
  readonly memory: string | undefined;
  /** Whom it woke. */
  readonly woken: readonly Dependency[];
  /** Whom it handed over to the next, and whom it settled itself. */
  readonly handedOver: readonly KubeObject[];
  readonly settledChildren: readonly KubeObject[];
  /** Statuses written. */
  readonly statusWrites: number;
}

/** How the pass is run; a test names only what matters. */
export interface PassSetting {
  readonly now?: Date;
  /** Passes that failed before. */
  readonly attempts?: number;
  readonly memory?: string | undefined;
  /** Whether no pass has ended before. */
  readonly isFirst?: boolean;
  readonly remainingSeconds?: () => number;
  /** Hears of each declaration of dependencies. */
  readonly declared?: () => void;
}

/** The runner repeats such a pass at once and tells nobody. */
const isWrittenByOthers = (error: unknown): boolean =>
  isKubeError(error, 'conflict') || isKubeError(error, 'already-exists');

/** Reads the object at `key`, reconciles it, and on a failure writes the status that tells of it. @throws what is a bug */
export const runPass = async <T extends Reconcilable>(
  reconciler: Reconciler<T>,
  kube: KubeClient,
  key: ObjectKey,
  {
    now = new Date('2026-11-21T09:00:00Z'),
    attempts = 0,
    memory,
    isFirst = false,
    remainingSeconds = () => 60,
    declared,
  }: PassSetting = {},
): Promise<PassReport> => {
  let dependencies: readonly Dependency[] = [];
  let remembered = memory;
  const woken: Dependency[] = [];
  const handedOver: KubeObject[] = [];
  const settledChildren: KubeObject[] = [];
  let statusWrites = 0;
  const pass: Pass = {
    cluster: 'test',
    kube,
    now,
    signal: AbortSignal.timeout(30_000),
    reasons: new Set(['self']),
    isFirst,
    attempts,
    memory,
    remainingSeconds,
    dependOn: (wanted) => {
      dependencies = wanted;
      declared?.();
      return Promise.resolve();
    },
    writeStatus: async (object, status) => {
      const shown = shownStatus(status);
      if (sameStatus(object.status, shown)) return object;
      statusWrites += 1;
      return kube.replaceStatus({ ...object, status: shown });
    },
    saw: () => undefined,
    remember: (text) => {
      remembered = text;
    },
    handOver: (made) => {
      handedOver.push(made);
      return Promise.resolve();
    },
    settleChild: (written) => {
      settledChildren.push(written);
      return Promise.resolve();
    },
    wake: (target) => {
      woken.push(target);
      return Promise.resolve();
    },
  };
  const report = (outcome: PassReport['outcome']): PassReport => ({
    outcome,
    dependencies,
    memory: remembered,
    woken,
    handedOver,
    settledChildren,
    statusWrites,
  });
  let object: T | undefined;
  try {
    object = await kube.get<T>(key);
    if (object === undefined || isDeleting(object)) return report('gone');
    return report(await reconciler.reconcile(object, pass));
  } catch (error) {
    if (!(error instanceof ExpectedError || error instanceof PermanentError)) throw error;
    const status =
      object === undefined || isWrittenByOthers(error) ? undefined : reconciler.statusOnFailure?.(object, error, now);
    // As in the runner: that telling the user fails too changes nothing.
    if (object !== undefined && status !== undefined)
      await pass.writeStatus(object, status).catch((failure: unknown) => {
        if (!(failure instanceof ExpectedError)) throw failure;
      });
    return report(error);
  }
};
