/**
 * One pass for one key (DESIGN §3.3–§3.10): skip or read; edges → effects → status; the record last. Expected failures end a pass
 * with attempts and dueAt; bugs are thrown and fail the key's messages only.
 */
import { ExpectedError, PermanentError } from '../errors/expected.ts';
import type { Announcer } from '../events/announcement.ts';
import type { KubeClient, NotOlderThan } from '../kube/client.ts';
import { isKubeError, mayPassWithOutage, saysClusterIsDown } from '../kube/errors.ts';
import { isDeleting, type KubeObject } from '../kube/object.ts';
import { mayWait } from '../queue/bulk.ts';
import type { ComesAgain } from '../queue/comes-again.ts';
import type { Message } from '../queue/message.ts';
import type { Sender } from '../queue/send.ts';
import type { Circuits } from '../state/circuits.ts';
import { NotRegisteredError } from '../state/clusters.ts';
import { clusterScope, type Dependency, type TargetKey } from '../state/keys.ts';
import type { Finished, ObjectRecord, Records } from '../state/records.ts';
import { comesAgain, dueAfterFailure, dueAfterOutcome, dueAfterUnregistered, freshDueAt } from './due.ts';
import { withEdgesThatWoke } from './edges-that-woke.ts';
import { withKeptDependencies } from './kept-dependencies.ts';
import { epochOf, knownVersions, toldVersions } from './known-versions.ts';
import { type Log, sayError } from './log.ts';
import { type Failing, isNews } from './news.ts';
import type { Outcome } from './outcome.ts';
import { makePass, type Progress } from './pass.ts';
import type { Received } from './received.ts';
import type { Pass, Reconcilable, Reconciler } from './reconciler.ts';
import { dueAtToKeep, isRecorded } from './recorded.ts';
import { maySkip } from './skip.ts';

/** What a pass needs from outside. */
export interface RunnerPorts {
  readonly records: Records;
  readonly circuits: Circuits;
  readonly sender: Sender;
  /** What a relay in this process has received; nothing where it is another process. */
  readonly received?: Pick<Received, 'read' | 'version'>;
  /**
   * The API of a registered cluster; calls abort with `signal`, and none is made again after `until` (milliseconds since 1970).
   * @throws ExpectedError when the cluster is not registered
   */
  kube(
    cluster: string,
    signal: AbortSignal,
    asked?: { readonly until?: number; readonly notOlderThan?: NotOlderThan | undefined },
  ): Promise<KubeClient>;
  readonly clock: () => Date;
  readonly random: () => number;
  readonly log: Log;
  /** Hears of transitions; nobody does without. */
  readonly announcer?: Announcer | undefined;
}

/** What became of a pass, for logs and counts. */
export type PassResult =
  | 'skipped'
  | 'settled'
  | 'again'
  | 'failed'
  | 'invalid'
  | 'gone'
  | 'parked'
  | 'deleting'
  | 'unregistered'
  | 'misdirected';

const goneSeconds = 600;
/** When a pass of an object without any due time threw: it is unfinished, and every live object is due some time. */
const afterBugSeconds = 600;
/** A conflict means that somebody wrote first: what we decided is old, so decide again at once, but not for ever. */
const triesOnConflict = 3;

const seconds = (date: Date): number => Math.floor(date.getTime() / 1000);

/** What is fixed from a wake-up to its end, however often the pass is tried. */
interface Run {
  readonly target: TargetKey;
  readonly messages: readonly Message[];
  readonly signal: AbortSignal;
  readonly deadline: number;
}

/** How a pass ended. Times are seconds. */
interface End {
  readonly attempts: number;
  /** When the first of the failures in a row happened. */
  readonly since?: number;
  /** When a pass first found that the cluster is not registered. */
  readonly unregisteredAt?: number;
  readonly now: number;
  readonly waitSeconds: number;
  /** Nothing is the matter: the same wait may follow each time that nothing is found. */
  readonly isAtRest?: boolean;
  /** What woke it is to wake it again. */
  readonly undecided?: boolean;
}

/** Runs passes of one reconciler. */
export const passRunner = <T extends Reconcilable>(reconciler: Reconciler<T>, ports: RunnerPorts) => {
  /** What is known of the object: its record, and what woke it. */
  const known = async (target: TargetKey, messages: readonly Message[]): Promise<ObjectRecord> =>
    withEdgesThatWoke(await ports.records.read(target), messages);

  /** The last write of a pass, unless the record says it already. */
  const finish = async (
    { target, messages }: Run,
    { record, object, dependencies, memory, seen }: Progress<T>,
    end: End,
  ): Promise<void> => {
    const decided = {
      resourceVersion: object?.metadata?.resourceVersion,
      epoch: epochOf(messages, record),
      // A pass that looked at no child has nothing to add: what an earlier one decided on still holds.
      seen: seen.size === 0 ? record.seen : [...seen],
    };
    // The messages of a pass that comes again would be skipped, had their versions been decided on.
    const { resourceVersion, epoch = decided.epoch, seen: seenBefore } = record;
    const finished: Finished = {
      ...(end.undecided === true ? { resourceVersion, epoch, seen: seenBefore } : decided),
      attempts: end.attempts,
      failingSince: end.since,
      unregisteredAt: end.unregisteredAt,
      dueAt: freshDueAt(end.now, end.waitSeconds, messages),
      restSeconds: end.isAtRest === true ? Math.ceil(end.waitSeconds) : undefined,
      edges: dependencies,
      memory,
    };
    if (isRecorded(record, finished, end.now)) return;
    const kept = { ...finished, dueAt: dueAtToKeep(record, finished, end.now) };
    if (await ports.records.finish(target, record, kept)) return;
    // Two passes of one object at once: the other knew of what woke this one, or a third finds out what is true.
    if (maySkip(messages, await ports.records.read(target))) return;
    ports.log('info', 'somebody else recorded a pass meanwhile: it is looked at again', { ...target });
    await ports.records.park(target, freshDueAt(end.now, 1, messages));
  };

  /** What is known of the failures of the object, of which this is one. */
  const failing = ({ record }: Progress<T>, now: number): Failing => ({
    attempts: record.attempts + 1,
    since: record.failingSince ?? now,
    now,
  });

  const fail = async (
    run: Run,
    progress: Progress<T>,
    error: ExpectedError,
    now: number,
  ): Promise<PassResult | ComesAgain> => {
    const known = failing(progress, now);
    ports.log('warn', 'pass failed', { ...run.target, attempts: known.attempts, why: sayError(error) });
    const waitSeconds = dueAfterFailure(error, known.attempts, ports.random());
    const undecided = comesAgain(error, waitSeconds);
    await finish(run, progress, { ...known, waitSeconds, undecided });
    // After the record: who wakes those that back off must find this one.
    if (!undecided && mayPassWithOutage(error))
      await ports.circuits.leftBackingOff(clusterScope(run.target.cluster), now);
    return undecided ? { result: 'failed', comesAgainSeconds: waitSeconds } : 'failed';
  };

  /** The cluster was removed, or its registration is late: what belongs to it is looked at less and less often, and then forgotten. */
  const unregistered = async (
    run: Run,
    progress: Progress<T>,
    error: ExpectedError,
    now: number,
  ): Promise<PassResult> => {
    const { attempts, unregisteredAt = now } = progress.record;
    const waitSeconds = dueAfterUnregistered(now - unregisteredAt, ports.random());
    ports.log('warn', 'pass failed', { ...run.target, unregisteredAt, why: sayError(error) });
    if (waitSeconds === undefined) await ports.records.remove(run.target, progress.record);
    else await finish(run, progress, { attempts, unregisteredAt, now, waitSeconds });
    return 'unregistered';
  };

  const gone = async (target: TargetKey, record: ObjectRecord, now: number): Promise<PassResult> => {
    const { goneAt = now, looseEdges } = record;
    if (goneAt + goneSeconds <= now) await ports.records.forget(target, record);
    // Also when it was marked before and an edge has woken it since: that goes with the others.
    else if (record.goneAt === undefined || looseEdges.length > 0)
      await ports.records.markGone(target, record, goneAt, goneAt + goneSeconds);
    return 'gone';
  };

  /** Tells the user why the pass failed. That this fails too is nothing new: the record says to look again. */
  const tell = async (
    progress: Progress<T>,
    failure: ExpectedError | PermanentError,
    pass: Pass,
    now: number,
  ): Promise<void> => {
    if (progress.object === undefined || !isNews(progress.object, failure, failing(progress, now))) return;
    const status = reconciler.statusOnFailure?.(progress.object, failure, pass.now);
    if (status === undefined) return;
    try {
      await pass.writeStatus(progress.object, status);
    } catch (error) {
      if (!(error instanceof ExpectedError)) throw error;
    }
  };

  /** The live object. The cluster's circuit learns whether it answered. @throws ExpectedError */
  const read = async ({ target, signal }: Run, kube: KubeClient, now: number): Promise<T | undefined> => {
    const { cluster, kind, namespace, name } = target;
    try {
      const object = await kube.get<T & KubeObject>({ kind, namespace, name });
      await ports.circuits.succeeded(clusterScope(cluster), now);
      return object;
    } catch (error) {
      // A budget that is spent says nothing about the cluster; a refusal says that it is there.
      if (saysClusterIsDown(error) && !signal.aborted)
        await ports.circuits.failed(clusterScope(cluster), now, error.retryAfterSeconds);
      else if (!saysClusterIsDown(error) && error instanceof ExpectedError)
        await ports.circuits.succeeded(clusterScope(cluster), now);
      throw error;
    }
  };

  /** One try: read, reconcile, record. */
  const attempt = async (
    run: Run,
    record: ObjectRecord,
    { mayConflict, mayBeOld }: { readonly mayConflict: boolean; readonly mayBeOld: boolean },
  ): Promise<PassResult | ComesAgain | 'conflict'> => {
    const { target, messages } = run;
    const now = seconds(ports.clock());
    const progress: Progress<T> = {
      object: undefined,
      record,
      dependencies: undefined,
      memory: record.memory,
      seen: new Set(),
    };
    let kube: KubeClient;
    try {
      const epoch = epochOf(messages, record);
      const declared = (): readonly Dependency[] => progress.dependencies ?? [];
      // A pass that somebody's write cut short reads what is there now: the cache may not have that write yet.
      const notOlderThan = mayBeOld
        ? knownVersions(target, messages, record, {
            declared,
            received: (key) => ports.received?.version(target.cluster, key, epoch),
          })
        : undefined;
      const asks = await ports.kube(target.cluster, run.signal, { until: run.deadline, notOlderThan });
      const reading = { cluster: target.cluster, epoch, declared, told: toldVersions(messages, record) };
      kube = withKeptDependencies(asks, { ...ports, ...reading, isFresh: !mayBeOld });
      progress.object = await read(run, kube, now);
    } catch (error) {
      if (error instanceof NotRegisteredError) return unregistered(run, progress, error, now);
      if (error instanceof ExpectedError) return fail(run, progress, error, now);
      throw error;
    }
    const { object } = progress;
    if (object === undefined) return gone(target, record, now);
    if (isDeleting(object)) {
      await finish(run, progress, { attempts: 0, now, waitSeconds: goneSeconds });
      return 'deleting';
    }
    const pass = makePass<T>({ ...ports, ...run, kube, progress, epoch: epochOf(messages, record), reconciler });
    let outcome: Outcome;
    try {
      outcome = await reconciler.reconcile(object, pass);
    } catch (error) {
      if (mayConflict && (isKubeError(error, 'conflict') || isKubeError(error, 'already-exists'))) return 'conflict';
      if (error instanceof ExpectedError) {
        await tell(progress, error, pass, now);
        return fail(run, progress, error, now);
      }
      if (!(error instanceof PermanentError)) throw error;
      await tell(progress, error, pass, now);
      const waitSeconds = dueAfterOutcome({ done: true }, ports.random());
      await finish(run, progress, { attempts: 0, now, waitSeconds, isAtRest: true });
      return 'invalid';
    }
    const waitSeconds = dueAfterOutcome(outcome, ports.random());
    await finish(run, progress, { attempts: 0, now, waitSeconds, isAtRest: outcome.done });
    return outcome.done ? 'settled' : 'again';
  };

  /** Reads and tries until nobody else writes in between. */
  const attempts = async (run: Run, first: ObjectRecord): Promise<PassResult | ComesAgain> => {
    let record = first;
    for (let tries = 1; ; tries += 1) {
      const result = await attempt(run, record, { mayConflict: tries < triesOnConflict, mayBeOld: tries === 1 });
      if (result !== 'conflict') return result;
      record = await known(run.target, run.messages);
    }
  };

  /** Gives an object that has none a due time, as best it can: what is thrown matters more. */
  const keepDue = async (target: TargetKey, record: ObjectRecord): Promise<void> => {
    if (record.dueAt !== undefined) return;
    try {
      await ports.records.park(target, seconds(ports.clock()) + afterBugSeconds);
    } catch (error) {
      ports.log('warn', 'no due time could be set', { ...target, why: sayError(error) });
    }
  };

  /** Reconciles `target` for all its `messages`, within `budgetSeconds`. @throws what is a bug, and StateError */
  return async (
    target: TargetKey,
    messages: readonly Message[],
    budgetSeconds: number,
  ): Promise<PassResult | ComesAgain> => {
    if (target.kind !== reconciler.kind) {
      ports.log('error', 'message is for another kind and was dropped', { ...target, expected: reconciler.kind });
      return 'misdirected';
    }
    const started = ports.clock();
    const budget = Math.ceil(budgetSeconds * 1000);
    const record = await known(target, messages);
    if (maySkip(messages, record)) return 'skipped';
    const admission = await ports.circuits.admit(clusterScope(target.cluster), seconds(started));
    if (!admission.admitted) {
      const lane = messages.every(mayWait) ? 'later' : 'first';
      await ports.records.parkBehindCluster(target, lane, seconds(started));
      return 'parked';
    }
    const signal = AbortSignal.timeout(budget);
    try {
      return await attempts({ target, messages, signal, deadline: started.getTime() + budget }, record);
    } catch (error) {
      await keepDue(target, record);
      throw error;
    }
  };
};
