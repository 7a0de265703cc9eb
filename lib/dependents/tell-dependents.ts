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
import { comesAgain, dueAfterFailure, dueAfterUnregistered, freshDueAt } from '../reconcile/due.ts';
import { CLUSTER_KIND, dependentsRow, mayHaveDependents, queueOf, rowOf } from '../reconcile/kind-table.ts';
import { type Log, sayError } from '../reconcile/log.ts';
import type { Circuits } from '../state/circuits.ts';
import { NotRegisteredError } from '../state/clusters.ts';
import { clusterScope, type Dependency, probeOf, type TargetKey, tellingOf, toldIn } from '../state/keys.ts';
import { type ObjectRecord, type Records, versionInEpoch } from '../state/records.ts';
import { hearOfCluster, isClusterNews } from './hear-of-cluster.ts';
import { probeCluster } from './probe-cluster.ts';
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

/** What is known of telling for an object that no pass looks after is kept for so long after the last time. Seconds. */
const keptSeconds = 30 * 86_400;

const phases = ['exact', 'set'] as const;
type Phase = (typeof phases)[number];

const dependencyOf = ({ kind, namespace, name }: TargetKey, phase: Phase): Dependency => ({
  kind,
  namespace,
  name: phase === 'set' ? '*' : name,
});

/** `exact:` or `set:` and the last dependent told. */
const parseCursor = (cursor: string | undefined): { readonly phase: Phase; readonly from: string | undefined } => {
  const colon = cursor?.indexOf(':') ?? -1;
  const phase = cursor?.slice(0, colon) === 'set' ? 'set' : 'exact';
  return { phase, from: cursor?.slice(colon + 1) || undefined };
};

/** Whether everything that the messages say of the object was told: each names the version that dependents were told of last. */
const isTold = (record: ObjectRecord, messages: readonly Message[]): boolean =>
  record.fanningHash === undefined &&
  messages.every(
    ({ reason, epoch, cause: { resourceVersion } }) =>
      (reason === 'self' || reason === 'list') &&
      resourceVersion !== '' &&
      versionInEpoch(epoch, resourceVersion) === record.fannedVersion,
  );

/**
 * Whether nobody need be told, as far as the table knows. Who begins to depend on the object afterwards reads it afterwards (DESIGN §3.8). Only
 * where nothing was ever told: a hash that is remembered would hide what somebody has read meanwhile.
 */
const concernsNobody = async (records: Records, target: TargetKey, record: ObjectRecord): Promise<boolean> => {
  if (record.fannedHash !== undefined || record.fanningHash !== undefined) return false;
  const pages = await Promise.all(
    phases.map((phase) => records.dependents(target.cluster, dependencyOf(target, phase), { limit: 1 })),
  );
  return pages.every(({ targets }) => targets.length === 0);
};

/** Tells the dependents of `target` what has changed. The table is asked first: what concerns nobody costs the API server nothing. @throws ExpectedError when it is to be gone on with later */
const tell = async (
  ports: DependentsPorts,
  target: TargetKey,
  messages: readonly Message[],
  signal: AbortSignal,
): Promise<'unchanged' | 'told' | 'nobody'> => {
  const { records } = ports;
  const record = await records.read(target);
  if (isTold(record, messages)) return 'unchanged';
  if (await concernsNobody(records, target, record)) return 'nobody';
  const object = await readObject(ports, target, signal);
  const hash = visibleHash(object);
  const epoch = messages.findLast((message) => message.epoch !== '')?.epoch ?? '';
  const version = versionInEpoch(epoch, object?.metadata?.resourceVersion ?? '');
  const hasPasses = rowOf(target.kind) !== undefined;
  const endsAt = hasPasses ? undefined : seconds(ports.clock()) + keptSeconds;
  // Somebody may have been told something else by a telling that was not finished: then all are told again.
  if (record.fannedHash === hash && record.fanningHash === undefined) {
    if (record.fannedVersion !== version) await records.alsoFanned(target, hash, version, endsAt);
    return 'unchanged';
  }

  const goesOn = record.fanningHash === hash;
  if (!goesOn) await records.beginFan(target, hash, endsAt);
  const wake = wakerOf(ports, target, object, epoch);
  const resumed = parseCursor(goesOn ? record.fanCursor : undefined);
  let isAlone = resumed.from === undefined;
  for (const phase of phases.slice(phases.indexOf(resumed.phase))) {
    let from = phase === resumed.phase ? resumed.from : undefined;
    do {
      if (signal.aborted) throw new ExpectedError('the budget was spent before everybody was told');
      const page = await records.dependents(target.cluster, dependencyOf(target, phase), { limit: pageSize, from });
      await wake(page.targets);
      if (page.targets.length > 0) isAlone = false;
      from = page.next;
      if (from !== undefined) {
        await records.saveFanCursor(target, `${phase}:${from}`);
        await ports.pause(pauseMilliseconds);
      }
    } while (from !== undefined);
  }
  if (isAlone || object === undefined) await records.forgetFan(target, hash, hasPasses);
  else await records.finishFan(target, hash, version, endsAt);
  return 'told';
};

/** What wakes dependents of `target`, as it is now. */
const wakerOf = (
  ports: DependentsPorts,
  { cluster, kind, namespace, name }: TargetKey,
  object: KubeObject | undefined,
  epoch: string,
): ((dependents: readonly TargetKey[]) => Promise<void>) => {
  const { uid = '', resourceVersion = '' } = object?.metadata ?? {};
  const cause = { kind, namespace, name, uid, resourceVersion };
  // What is gone has no version: without an occasion, two deletions in five minutes would be one for SQS.
  const occasion =
    object === undefined ? { occasion: `${kind}/${namespace}/${name}@gone@${ports.clock().getTime()}` } : {};
  return async (dependents) => {
    const byQueue = Map.groupBy(
      dependents.filter((dependent) => rowOf(dependent.kind) !== undefined),
      (dependent) => queueOf(dependent.kind),
    );
    for (const [queue, woken] of byQueue)
      await ports.sender.send(
        queue,
        woken.map((dependent) => ({
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

/** Does what was woken for: tells dependents, hears of a cluster or probes one. @throws ExpectedError when it is to be gone on with later */
const work = async (
  ports: DependentsPorts,
  target: TargetKey,
  messages: readonly Message[],
  budgetSeconds: number,
): Promise<string> => {
  const signal = AbortSignal.timeout(Math.ceil(budgetSeconds * 1000));
  const { cluster, kind, name } = target;
  if (kind !== CLUSTER_KIND) return tell(ports, target, messages, signal);
  let done: Awaited<ReturnType<typeof probeCluster>>;
  if (name === probeOf(cluster).name) done = await probeCluster(ports, cluster, signal);
  else if (isClusterNews(name)) done = await hearOfCluster(ports, cluster, name, messages, signal);
  else return 'misdirected';
  if (typeof done === 'string') return done;
  ports.log('info', 'woke what waits or may have been missed', { ...target, woken: done.woken });
  // What there was no time for: the clock would go on with it too, a minute later.
  if (!done.areAll) await ports.sender.send(dependentsRow.name, [goesOn(cluster, ports.clock())]);
  return 'woken';
};

/** Wakes this function once more for a cluster. */
const goesOn = (cluster: string, now: Date): Message => {
  const { kind, namespace, name } = probeOf(cluster);
  const target = { kind, namespace, name };
  const cause = { ...target, uid: '', resourceVersion: '' };
  return { v: 1, cluster, epoch: '', target, cause, reason: 'dependency', occasion: `goes on@${now.getTime()}` };
};

/** When to go on with a telling: seconds from `now`, or undefined when it is to be given up with its cluster; and since when that is not registered. */
const nextTry = (
  error: ExpectedError,
  { attempts, unregisteredAt: first }: ObjectRecord,
  now: number,
  random: number,
): { readonly waitSeconds: number | undefined; readonly unregisteredAt?: number } => {
  if (!(error instanceof NotRegisteredError)) return { waitSeconds: dueAfterFailure(error, attempts + 1, random) };
  const unregisteredAt = first ?? now;
  return { waitSeconds: dueAfterUnregistered(now - unregisteredAt, random), unregisteredAt };
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
      const now = seconds(ports.clock());
      const { waitSeconds, unregisteredAt } = nextTry(error, record, now, ports.random());
      ports.log('warn', 'telling dependents was put off', { ...target, attempts, why: sayError(error) });
      if (waitSeconds === undefined) {
        await ports.records.remove(later, record);
        return 'given up';
      }
      const dueAt = freshDueAt(now, waitSeconds, messages);
      const isPutOff = await ports.records.finish(later, record, {
        resourceVersion: undefined,
        epoch: messages.findLast((message) => message.epoch !== '')?.epoch ?? record.epoch ?? '',
        attempts,
        unregisteredAt,
        dueAt,
        edges: undefined,
      });
      // Somebody else put it off meanwhile, perhaps for longer.
      if (!isPutOff) await ports.records.park(later, dueAt);
      return comesAgain(error, waitSeconds) ? { result: 'put off', comesAgainSeconds: waitSeconds } : 'put off';
    }
  };
