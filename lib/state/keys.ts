/**
 * The one table and its access patterns (DESIGN §3.21). Every item has `pk` and `sk`; `due` is the only index.
 *
 * | item | pk | sk | read by |
 * |---|---|---|---|
 * | record of an object | `object#<cluster>#<kind>#<namespace>#<name>` | `record` | a pass, by key, consistent |
 * | revision of a shared poll | `object#<cluster>#GitPoll#<namespace>#<name>` | `revision#<digest of it>` | a poll, all pages, and its followers, by key; consistent |
 * | poll in its page | `object#<cluster>#GitPoll##every-<seconds>.<number>` | `row#<namespace>#<name>` | the page's round, all of it, behind its record; consistent |
 * | edge | `edge#<cluster>#<kind>#<namespace>#<name or *>` | `<kind>#<namespace>#<name>` | dependents, by dependency, consistent |
 * | registration of a cluster | `registration#<cluster>` | `registration` | functions, by key; written by the operator alone |
 * | names of registered clusters | `clusters` | `<cluster>` | sweeper and `status`, all pages; written by the operator alone |
 * | history of a cluster (epoch) | `relay#<cluster>` | `history` | its relay, by key |
 * | how far a cluster's watches are, and that its relay lives | `relay#<cluster>` | `place` | its relay; sweeper and `status`; by key |
 * | circuit | `circuit#cluster/<cluster>`, `circuit#<scheme>://<host>:<port>` and behind it `#<cluster>#<namespace>` | `circuit` | a pass, by key |
 * | passes that the cluster failed | `circuit#cluster/<cluster>` | `failed` | who hears that it is back, by key, consistent |
 * | telling put off | `object#<cluster>#Dependents#<namespace>#<kind>/<name>` | `record` | dependents, by key, consistent |
 * | slots of a cap on running builds | `slots#<scope>` | `holders` | Builds that start or end, by key, consistent |
 * | Build that waits for a slot | `slots#<scope>` | `waiting#<cluster>#<namespace>#<since>#<name>#<uid>` | a Build that ends, by namespace, consistent |
 * | polls of a repository | `hook#<digest of its place>` | `<cluster>#GitPoll#<namespace>#<name>` | push hooks, by place, consistent |
 * | last redrive of a queue | `redrive#<queue>` | `redrive` | sweeper, by key, consistent |
 * | due time of a record, or of a cluster's circuit | index `due`: `dueShard` below 16, `dueAt` | | sweeper, by shard, everything ≤ now |
 * | record parked behind a cluster that is down | index `due`: `dueShard` from 16 on, two for each cluster | | who wakes them when it is back, by shard, everything |
 *
 * `#` cannot occur in a Kubernetes name, namespace or kind, so keys never collide. Items with `endsAt` (Unix seconds) may be dropped then.
 */

import { createHash } from 'node:crypto';

/** An object in one of the clusters: the identity of records, messages and queue groups. */
export interface TargetKey {
  readonly cluster: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** What a dependent points at: an object, or with name `*` every object of that kind (and namespace). */
export interface Dependency {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** How many partitions the `due` index has; enough for 16,000 due writes a second. */
export const dueShards = 16;

export const recordSortKey = 'record';

/** Before every revision of a shared poll, in the order of sort keys; behind its record. */
export const revisionPrefix = 'revision#';

/** Sort key of a revision that somebody follows; a digest, as a revision may be longer than a key. */
export const revisionSortKey = (revision: string): string =>
  `${revisionPrefix}${createHash('sha256').update(revision).digest('hex').slice(0, 32)}`;

/** Before every poll of a page, in the order of sort keys; behind the page's record. */
export const rowPrefix = 'row#';

/** Sort key of a poll in its page. */
export const rowSortKey = ({ namespace, name }: Pick<TargetKey, 'name' | 'namespace'>): string =>
  `${rowPrefix}${namespace}#${name}`;

/** The poll that such a sort key names; undefined when it is none. */
export const rowsPoll = (cluster: string, sk: string): TargetKey | undefined => {
  const [, namespace, name] = sk.startsWith(rowPrefix) ? sk.split('#') : [];
  return namespace === undefined || name === undefined ? undefined : { cluster, kind: 'GitPoll', namespace, name };
};

/** Partition key of an object's record. */
export const recordKey = ({ cluster, kind, namespace, name }: TargetKey): string =>
  `object#${cluster}#${kind}#${namespace}#${name}`;

/** What stands for a cluster that is down among due times: it is probed when that comes (lib/dependents/probe-cluster.ts). */
export const probeOf = (cluster: string): TargetKey => ({ cluster, kind: 'Cluster', namespace: '', name: 'probe' });

const isProbe = ({ kind, name }: TargetKey): boolean => kind === 'Cluster' && name === 'probe';

/** The item that holds the due time of a target: its record, or a cluster's circuit. */
export const dueKeyOf = (target: TargetKey): { readonly pk: string; readonly sk: string } =>
  isProbe(target)
    ? { pk: circuitKey(clusterScope(target.cluster)), sk: circuitSortKey }
    : { pk: recordKey(target), sk: recordSortKey };

const clusterCircuitPrefix = 'circuit#cluster/';

/** The target whose due time the item with partition key `pk` holds; undefined when it is no such item. */
export const targetOfDueKey = (pk: string): TargetKey | undefined =>
  pk.startsWith(clusterCircuitPrefix) ? probeOf(pk.slice(clusterCircuitPrefix.length)) : targetOfRecordKey(pk);

/** The object whose record has partition key `pk`; undefined when it is no record's. */
export const targetOfRecordKey = (pk: string): TargetKey | undefined => {
  const [type, cluster, kind, namespace, name, ...rest] = pk.split('#');
  if (type !== 'object' || cluster === undefined || kind === undefined || namespace === undefined) return undefined;
  return name === undefined ? undefined : { cluster, kind, namespace, name: [name, ...rest].join('#') };
};

const tellingKind = 'Dependents';

/** Where a telling of `target`'s dependents that could not be done is put off to: a record of its own with a due time. */
export const tellingOf = ({ cluster, kind, namespace, name }: TargetKey): TargetKey => ({
  cluster,
  kind: tellingKind,
  namespace,
  name: `${kind}/${name}`,
});

/** Whose dependents are to be told, when `woken` is a telling that was put off; undefined otherwise. */
export const toldIn = ({ cluster, kind, namespace, name }: TargetKey): TargetKey | undefined => {
  const slash = name.indexOf('/');
  if (kind !== tellingKind || slash < 0) return undefined;
  return { cluster, kind: name.slice(0, slash), namespace, name: name.slice(slash + 1) };
};

/** Partition key of all edges that point at a dependency. */
export const edgeKey = (cluster: string, { kind, namespace, name }: Dependency): string =>
  `edge#${cluster}#${kind}#${namespace}#${name}`;

/** Sort key of an edge: who depends. */
export const edgeSortKey = ({ kind, namespace, name }: TargetKey): string => `${kind}#${namespace}#${name}`;

/** The dependent that an edge's sort key names. */
export const dependentOf = (cluster: string, sk: string): TargetKey => {
  const [kind = '', namespace = '', ...name] = sk.split('#');
  return { cluster, kind, namespace, name: name.join('#') };
};

/** Partition key of a cluster's registration: no relay may write there (infra/relay-role.yml). */
export const registrationKey = (cluster: string): string => `registration#${cluster}`;
export const registrationSortKey = 'registration';
/** Partition key of the names of all clusters that are registered. */
export const clustersKey = 'clusters';

/** Partition key of everything that a cluster's relay writes: its role may write there and nowhere else. */
export const relayKey = (cluster: string): string => `relay#${cluster}`;
export const historySortKey = 'history';
export const placeSortKey = 'place';

/** A namespace of a cluster: who is served, and who may spoil nothing for others. */
export interface Tenant {
  readonly cluster: string;
  readonly namespace: string;
}

/** What a circuit speaks for. A cluster may be called like a host, and a host answers on one port and not on another: their names never meet. */
export type ClusterScope = `cluster/${string}`;
export type HostScope = `${'http' | 'https' | 'ssh'}://${string}`;
export type CircuitScope = ClusterScope | HostScope;

/** The API server of a cluster. */
export const clusterScope = (cluster: string): ClusterScope => `cluster/${cluster}`;

/** Whether a circuit is a cluster's, no host's. */
export const isClusterScope = (scope: CircuitScope): scope is ClusterScope => scope.startsWith('cluster/');

/** Where was really spoken to: scheme, host and port. `host` without brackets. */
export const hostScope = ({
  scheme,
  host,
  port,
}: {
  readonly scheme: 'http' | 'https' | 'ssh';
  readonly host: string;
  readonly port: number;
}): HostScope => `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;

/** A tenant in one word. */
export const showTenant = ({ cluster, namespace }: Tenant): string => `${cluster}#${namespace}`;

/** A host as one tenant has met it. */
export const tenantScope = (host: HostScope, tenant: Tenant): HostScope => `${host}#${showTenant(tenant)}`;

/** Partition key of a circuit. */
export const circuitKey = (scope: CircuitScope): string => `circuit#${scope}`;
export const circuitSortKey = 'circuit';
/** Sort key of what is known of passes that back off, each by itself, as a cluster failed them by its answers. */
export const failedSortKey = 'failed';

/** Partition key of all polls of the repositories at a place, in every cluster: a push hook knows the URL and nothing else. */
export const hookKey = (place: string): string => `hook#${place}`;

/** Sort key of a poll that a push hook wakes. */
export const hookSortKey = ({ cluster, kind, namespace, name }: TargetKey): string =>
  `${cluster}#${kind}#${namespace}#${name}`;

/** Before every poll of one tenant at a place, in the order of sort keys. */
export const hooksOfTenant = ({ cluster, kind, namespace }: TargetKey): string => `${cluster}#${kind}#${namespace}#`;

/** Behind every poll of one cluster at a place. */
export const hooksBehind = (cluster: string): string => `${cluster}#~`;

/** The poll that such a sort key names. */
export const polledBy = (sk: string): TargetKey => {
  const [cluster = '', kind = '', namespace = '', ...name] = sk.split('#');
  return { cluster, kind, namespace, name: name.join('#') };
};

/** Partition key of what is known of bringing a queue's dead letters back. */
export const redriveKey = (queue: string): string => `redrive#${queue}`;
export const redriveSortKey = 'redrive';

/** FNV-1a, so neighbours spread. */
const spread = (text: string): number => {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
};

/** A stable number in [0, 1) for a target, by which many are spread evenly over time. */
export const phaseOf = (target: TargetKey): number => spread(recordKey(target)) / 2 ** 32;

/** A stable shard for a key. */
export const dueShardOf = (pk: string): number => spread(pk) % dueShards;

/** In which order who was parked is woken: first whom somebody has woken by doing something, later whose time had come and nothing else. */
export type ParkingLane = 'first' | 'later';
export const parkingLanes: readonly ParkingLane[] = ['first', 'later'];

/**
 * Where what waits for a cluster that is down is parked: shards of the index that no sweep reads. Two clusters may share them, if they are very
 * many: who looks there tells them apart.
 */
export const parkingShardOf = (cluster: string, lane: ParkingLane): number =>
  dueShards + 2 * (spread(cluster) % 2 ** 30) + parkingLanes.indexOf(lane);

/** Whether a shard is one where somebody is parked, so that its due time is none. */
export const isParkingShard = (shard: number | undefined): boolean => shard !== undefined && shard >= dueShards;

/** A Build in a queue for slots. */
export interface SlotUser {
  readonly cluster: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** Where a cap counts: one namespace of a cluster, or the whole installation. */
export type SlotScope = 'installation' | { readonly cluster: string; readonly namespace: string };

/** Partition key of a cap's slots and of everybody who waits for one. */
export const slotsKey = (scope: SlotScope): string =>
  scope === 'installation' ? 'slots#installation' : `slots#${scope.cluster}#${scope.namespace}`;
export const holdersSortKey = 'holders';

/** A holder as the slot item names it. */
export const showSlotUser = ({ cluster, namespace, name, uid }: SlotUser): string =>
  [cluster, namespace, name, uid].join('#');

/** The holder behind an entry of the slot item. */
export const slotUserOf = (shown: string): SlotUser => {
  const [cluster = '', namespace = '', name = '', uid = ''] = shown.split('#');
  return { cluster, namespace, name, uid };
};

/** Before every waiter, and before and behind the waiters of one namespace, in the order of sort keys. */
export const waitingPrefix = 'waiting#';
export const waitingOf = ({ cluster, namespace }: Pick<SlotUser, 'cluster' | 'namespace'>): string =>
  `${waitingPrefix}${cluster}#${namespace}#`;
export const waitingBehind = (namespace: Pick<SlotUser, 'cluster' | 'namespace'>): string => `${waitingOf(namespace)}~`;

/** Sort key of a waiter: the oldest of a namespace first. `since` is its creation time, RFC 3339. */
export const waitingSortKey = (user: SlotUser, since: string): string =>
  `${waitingOf(user)}${since}#${user.name}#${user.uid}`;

/** The waiter behind a sort key; undefined when it is none. */
export const waiterOf = (sk: string): SlotUser | undefined => {
  const [waiting, cluster, namespace, , name, uid] = sk.split('#');
  return waiting !== 'waiting' || cluster === undefined || namespace === undefined || name === undefined
    ? undefined
    : { cluster, namespace, name, uid: uid ?? '' };
};
