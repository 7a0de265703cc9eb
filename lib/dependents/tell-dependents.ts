/**
 * Wakes everybody who depends on an object, when what they can see of it has changed: pages of edges, at a bounded rate, with a
 * cursor, so that dying in the middle goes on where it was. `fannedHash` is written after the last page (DESIGN §3.8). What cannot
 * be done now is put off to a record of its own with a due time, so that an outage uses up no receives (DESIGN §3.6).
 */
import { ExpectedError } from '../errors/expected.ts';
import type { KubeClient } from '../kube/client.ts';
import { saysClusterIsDown } from '../kube/errors.ts';
import { type KubeObject, type ObjectKey } from '../kube/object.ts';
import type { ComesAgain } from '../queue/comes-again.ts';
import type { Message } from '../queue/message.ts';
import type { Sender } from '../queue/send.ts';
import { comesAgain, dueAfterFailure, freshDueAt } from '../reconcile/due.ts';
import { CLUSTER_KIND, mayHaveDependents, queueOf, rowOf } from '../reconcile/kind-table.ts';
import { type Log, sayError } from '../reconcile/log.ts';
import type { Circuits } from '../state/circuits.ts';
import { clusterScope, type TargetKey, tellingOf, toldIn } from '../state/keys.ts';
import type { Records } from '../state/records.ts';
import { hearOfCluster, isClusterNews } from './hear-of-cluster.ts';
import { visibleHash } from './visible-hash.ts';

/** What telling needs. */
export interface DependentsPorts {
  readonly records: Records;
  readonly circuits: Circuits;
  readonly sender: Sender;
  kube(cluster: string, signal: AbortSignal): Promise<KubeClient>;
  pause(milliseconds: number): Promise<void>;
  readonly clock: () => Date;
  readonly random: () => number;
  readonly log: Log;
}

const pageSize = 100;
/** A page a tenth of a second: 1,000 wake-ups a second put seconds of work ahead of anybody, not minutes. */
const pauseMilliseconds = 100;

const phases = ['exact', 'set'] as const;
type Phase = (typeof phases)[number];

/** `exact:` or `set:` and the last dependent told. */
const parseCursor = (cursor: string | undefined): { readonly phase: Phase; readonly from: string | undefined } => {
  const colon = cursor?.indexOf(':') ?? -1;
  const phase = cursor?.slice(0, colon) === 'set' ? 'set' : 'exact';
  return { phase, from: cursor?.slice(colon + 1) || undefined };
};

/** Tells the dependents of `target` what has changed. @throws ExpectedError when it is to be gone on with later */
const tell = async (
  ports: DependentsPorts,
  target: TargetKey,
  messages: readonly Message[],
  signal: AbortSignal,
): Promise<'unchanged' | 'told'> => {
  const { cluster, kind, namespace, name } = target;
  const object = await readObject(ports, target, signal);
  const hash = visibleHash(object);
  const record = await ports.records.read(target);
  // Somebody may have been told something else by a telling that was not finished: then all are told again.
  if (record.fannedHash === hash && record.fanningHash === undefined) return 'unchanged';

  const { uid = '', resourceVersion = '' } = object?.metadata ?? {};
  const cause = { kind, namespace, name, uid, resourceVersion };
  // What is gone has no version: without an occasion, two deletions in five minutes would be one for SQS.
  const occasion =
    object === undefined ? { occasion: `${kind}/${namespace}/${name}@gone@${ports.clock().getTime()}` } : {};
  const epoch = messages.findLast((message) => message.epoch !== '')?.epoch ?? '';
  const wake = async (targets: readonly TargetKey[]): Promise<void> => {
    const byQueue = Map.groupBy(
      targets.filter((dependent) => rowOf(dependent.kind) !== undefined),
      (dependent) => queueOf(dependent.kind),
    );
    for (const [queue, dependents] of byQueue)
      await ports.sender.send(
        queue,
        dependents.map((dependent) => ({
          v: 1,
          cluster,
          epoch,
          target: { kind: dependent.kind, namespace: dependent.namespace, name: dependent.name },
          cause,
          reason: 'dependency',
          ...occasion,
        })),
      );
  };

  const goesOn = record.fanningHash === hash;
  if (!goesOn) await ports.records.beginFan(target, hash);
  const resumed = parseCursor(goesOn ? record.fanCursor : undefined);
  for (const phase of phases.slice(phases.indexOf(resumed.phase))) {
    let from = phase === resumed.phase ? resumed.from : undefined;
    do {
      if (signal.aborted) throw new ExpectedError('the budget was spent before everybody was told');
      const page = await ports.records.dependents(
        cluster,
        { kind, namespace, name: phase === 'set' ? '*' : name },
        { limit: pageSize, from },
      );
      await wake(page.targets);
      from = page.next;
      if (from !== undefined) {
        await ports.records.saveFanCursor(target, `${phase}:${from}`);
        await ports.pause(pauseMilliseconds);
      }
    } while (from !== undefined);
  }
  await ports.records.finishFan(target, hash);
  return 'told';
};

/** The object as it is now. The cluster's circuit is asked before and told after. @throws ExpectedError */
const readObject = async (
  ports: DependentsPorts,
  { cluster, kind, namespace, name }: TargetKey,
  signal: AbortSignal,
): Promise<KubeObject | undefined> => {
  const now = seconds(ports.clock());
  const admission = await ports.circuits.admit(clusterScope(cluster), now);
  if (!admission.admitted)
    throw new ExpectedError(`cluster ${cluster} did not answer shortly before`, {
      retryAfterSeconds: admission.until - now,
    });
  const kube = await ports.kube(cluster, signal);
  const key: ObjectKey = { kind, namespace, name };
  try {
    const object = await kube.get<KubeObject>(key);
    await ports.circuits.succeeded(clusterScope(cluster), now);
    return object;
  } catch (error) {
    if (saysClusterIsDown(error) && !signal.aborted)
      await ports.circuits.failed(clusterScope(cluster), now, error.retryAfterSeconds);
    else if (!saysClusterIsDown(error)) await ports.circuits.succeeded(clusterScope(cluster), now);
    throw error;
  }
};

const seconds = (date: Date): number => Math.floor(date.getTime() / 1000);

/** Does what was woken for: tells dependents, or hears of a cluster. @throws ExpectedError when it is to be gone on with later */
const work = async (
  ports: DependentsPorts,
  target: TargetKey,
  messages: readonly Message[],
  budgetSeconds: number,
): Promise<string> => {
  if (target.kind !== CLUSTER_KIND)
    return tell(ports, target, messages, AbortSignal.timeout(Math.ceil(budgetSeconds * 1000)));
  if (!isClusterNews(target.name)) return 'misdirected';
  const woken = await hearOfCluster(ports, target.cluster, target.name, messages);
  ports.log('info', 'woke what waits or may have been missed', { ...target, woken });
  return 'woken';
};

/** Runs one telling for the object that `woken` names, or for the one whose telling was put off. @throws only what is a bug */
export const dependentsRunner =
  (ports: DependentsPorts) =>
  async (woken: TargetKey, messages: readonly Message[], budgetSeconds: number): Promise<string | ComesAgain> => {
    const putOff = toldIn(woken);
    const target = putOff ?? woken;
    if (!mayHaveDependents(target.kind)) {
      ports.log('error', 'message is for a kind without dependents and was dropped', { ...target });
      return 'misdirected';
    }
    const later = tellingOf(target);
    const before = putOff === undefined ? undefined : await ports.records.read(later);
    try {
      const result = await work(ports, target, messages, budgetSeconds);
      if (before?.dueAt !== undefined) await ports.records.drop(later, before.dueAt);
      return result;
    } catch (error) {
      if (!(error instanceof ExpectedError)) throw error;
      const record = before ?? (await ports.records.read(later));
      const attempts = record.attempts + 1;
      ports.log('warn', 'telling dependents was put off', { ...target, attempts, why: sayError(error) });
      const waitSeconds = dueAfterFailure(error, attempts, ports.random());
      await ports.records.finish(later, record, {
        resourceVersion: undefined,
        epoch: messages.findLast((message) => message.epoch !== '')?.epoch ?? record.epoch ?? '',
        attempts,
        dueAt: freshDueAt(seconds(ports.clock()), waitSeconds, messages),
        edges: undefined,
      });
      return comesAgain(error, waitSeconds) ? { result: 'put off', comesAgainSeconds: waitSeconds } : 'put off';
    }
  };
