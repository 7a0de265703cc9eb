/**
 * One pass for one key (DESIGN §3.3–3.10): skip or read; edges → effects → status; the record last. Expected failures end a pass
 * with attempts and dueAt; bugs are thrown and fail the key's messages only.
 */
import { ExpectedError, PermanentError } from '../errors/expected.ts';
import type { KubeClient } from '../kube/client.ts';
import { isKubeError, saysClusterIsDown } from '../kube/errors.ts';
import { isDeleting, type KubeObject } from '../kube/object.ts';
import { type Message, type Reason } from '../queue/message.ts';
import type { Sender } from '../queue/send.ts';
import type { Circuits } from '../state/circuits.ts';
import type { Dependency, TargetKey } from '../state/keys.ts';
import type { ObjectRecord, Records } from '../state/records.ts';
import { dueAfterFailure, dueAfterOutcome } from './due.ts';
import { queueOf } from './kind-table.ts';
import { type Log, sayError } from './log.ts';
import type { Outcome } from './outcome.ts';
import type { Pass, Reconcilable, Reconciler } from './reconciler.ts';
import { sameStatus } from './same-status.ts';
import { maySkip } from './skip.ts';

/** What a pass needs from outside. */
export interface RunnerPorts {
  readonly records: Records;
  readonly circuits: Circuits;
  readonly sender: Sender;
  /** The API of a registered cluster; calls abort with `signal`. @throws ExpectedError when the cluster is not registered */
  kube(cluster: string, signal: AbortSignal): Promise<KubeClient>;
  readonly clock: () => Date;
  readonly random: () => number;
  readonly log: Log;
}

/** What became of a pass, for logs and counts. */
export type PassResult = 'skipped' | 'settled' | 'again' | 'failed' | 'invalid' | 'gone' | 'parked' | 'deleting';

const goneSeconds = 600;
/** A conflict means that somebody wrote first: what we decided is old, so decide again at once, but not for ever. */
const triesOnConflict = 3;

const seconds = (date: Date): number => Math.floor(date.getTime() / 1000);

/** State of one pass while it runs. */
interface Progress {
  version: string | undefined;
  dependencies: readonly Dependency[] | undefined;
  memory: string | undefined;
}

/** Runs passes of one reconciler. */
export const passRunner = <T extends Reconcilable>(reconciler: Reconciler<T>, ports: RunnerPorts) => {
  const passOf = (
    target: TargetKey,
    kube: KubeClient,
    messages: readonly Message[],
    record: ObjectRecord,
    progress: Progress,
    signal: AbortSignal,
    deadline: number,
  ): Pass => {
    const [first] = messages;
    return {
      cluster: target.cluster,
      kube,
      now: ports.clock(),
      signal,
      reasons: new Set<Reason>(messages.map(({ reason }) => reason)),
      attempts: record.attempts,
      remainingSeconds: () => (deadline - ports.clock().getTime()) / 1000,
      dependOn: async (dependencies) => {
        progress.dependencies = dependencies;
        await ports.records.addEdges(target, record, dependencies);
      },
      writeStatus: async (object, status) => {
        if (sameStatus(object.status, status)) return object;
        const written = await kube.replaceStatus({ ...object, status });
        if (written.metadata?.uid === object.metadata?.uid && object.metadata?.name === target.name)
          progress.version = written.metadata?.resourceVersion;
        return written;
      },
      memory: record.memory,
      remember: (text) => {
        progress.memory = text;
      },
      wake: (dependency) =>
        ports.sender.send(queueOf(dependency.kind), [
          {
            v: 1,
            cluster: target.cluster,
            epoch: first?.epoch ?? '',
            target: { ...dependency },
            cause: {
              kind: target.kind,
              namespace: target.namespace,
              name: target.name,
              uid: '',
              resourceVersion: progress.version ?? '',
            },
            reason: 'dependency',
            occasion: `${target.kind}/${target.namespace}/${target.name}@${ports.clock().getTime()}`,
          },
        ]),
    };
  };

  const gone = async (target: TargetKey, record: ObjectRecord, now: number): Promise<PassResult> => {
    if (record.goneAt !== undefined && record.goneAt + goneSeconds <= now) await ports.records.forget(target, record);
    else if (record.goneAt === undefined) await ports.records.markGone(target, now, now + goneSeconds);
    return 'gone';
  };

  /** Tells the user why the pass failed. That this fails too is nothing new: the record says to look again. */
  const tell = async (object: T, failure: ExpectedError | PermanentError, pass: Pass): Promise<void> => {
    const status = reconciler.statusOnFailure?.(object, failure, pass.now);
    if (status === undefined) return;
    try {
      await pass.writeStatus(object, status);
    } catch (error) {
      if (!(error instanceof ExpectedError)) throw error;
    }
  };

  /** One try: read, reconcile, record. */
  const attempt = async (
    target: TargetKey,
    kube: KubeClient,
    messages: readonly Message[],
    record: ObjectRecord,
    signal: AbortSignal,
    deadline: number,
    mayConflict: boolean,
  ): Promise<PassResult | 'conflict'> => {
    // A due message knows no epoch: the record's holds until the relay tells of another.
    const epoch = messages.findLast((message) => message.epoch !== '')?.epoch ?? record.epoch ?? '';
    const progress: Progress = { version: undefined, dependencies: undefined, memory: record.memory };
    const pass = passOf(target, kube, messages, record, progress, signal, deadline);
    const now = seconds(pass.now);
    const finish = (attempts: number, dueAt: number): Promise<void> =>
      ports.records.finish(target, record, {
        resourceVersion: progress.version,
        epoch,
        attempts,
        dueAt,
        edges: progress.dependencies,
        memory: progress.memory,
      });
    const fail = async (error: ExpectedError): Promise<PassResult> => {
      const attempts = record.attempts + 1;
      await finish(attempts, now + dueAfterFailure(error, attempts, ports.random()));
      return 'failed';
    };

    let object: T | undefined;
    try {
      object = await kube.get<T & KubeObject>({ kind: target.kind, namespace: target.namespace, name: target.name });
    } catch (error) {
      if (!(error instanceof ExpectedError)) throw error;
      ports.log('warn', 'object could not be read', { ...target, why: sayError(error) });
      if (saysClusterIsDown(error)) await ports.circuits.failed(target.cluster, now, error.retryAfterSeconds);
      return fail(error);
    }
    await ports.circuits.succeeded(target.cluster, now);
    if (object === undefined) return gone(target, record, now);
    progress.version = object.metadata?.resourceVersion;
    if (isDeleting(object)) {
      await finish(0, now + goneSeconds);
      return 'deleting';
    }
    let outcome: Outcome;
    try {
      outcome = await reconciler.reconcile(object, pass);
    } catch (error) {
      if (mayConflict && (isKubeError(error, 'conflict') || isKubeError(error, 'already-exists'))) return 'conflict';
      if (error instanceof ExpectedError) {
        ports.log('warn', 'pass failed', { ...target, attempts: record.attempts + 1, why: sayError(error) });
        await tell(object, error, pass);
        return fail(error);
      }
      if (error instanceof PermanentError) {
        await tell(object, error, pass);
        await finish(0, now + dueAfterOutcome({ done: true }, ports.random()));
        return 'invalid';
      }
      throw error;
    }
    await finish(0, now + dueAfterOutcome(outcome, ports.random()));
    return outcome.done ? 'settled' : 'again';
  };

  /** Reconciles `target` for all its `messages`, within `budgetSeconds`. @throws only what is a bug */
  return async (target: TargetKey, messages: readonly Message[], budgetSeconds: number): Promise<PassResult> => {
    const started = ports.clock();
    const deadline = started.getTime() + budgetSeconds * 1000;
    const signal = AbortSignal.timeout(budgetSeconds * 1000);
    let record = await ports.records.read(target);
    if (maySkip(messages, record)) return 'skipped';
    const admission = await ports.circuits.admit(target.cluster, seconds(started));
    if (!admission.admitted) {
      await ports.records.park(target, admission.until + Math.floor(ports.random() * 5));
      return 'parked';
    }
    const kube = await ports.kube(target.cluster, signal);
    for (let tries = 1; ; tries += 1) {
      const result = await attempt(target, kube, messages, record, signal, deadline, tries < triesOnConflict);
      if (result !== 'conflict') return result;
      record = await ports.records.read(target);
    }
  };
};
