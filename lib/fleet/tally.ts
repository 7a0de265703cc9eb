/** What the whole table says of an installation: its clusters, their objects, what waits, what fails. Pure; items come page by page. */
import { number, set, text } from '../state/attributes.ts';
import { clusterOfItem, itemType } from '../state/belongs.ts';
import type { Registration } from '../state/clusters.ts';
import {
  circuitKey,
  circuitSortKey,
  clusterScope,
  dueShards,
  recordSortKey,
  targetOfRecordKey,
} from '../state/keys.ts';
import { pageIn } from '../state/poll-pages.ts';
import type { Item } from '../state/table.ts';

/** What a relay has written of itself. */
export interface RelayState {
  readonly epoch: string | undefined;
  /** Version up to which the events of each kind were handed on. */
  readonly checkpoints: Readonly<Record<string, string>>;
  /** When it last said that it lives, Unix seconds; undefined when it never did. */
  readonly heartbeatAt: number | undefined;
  /** How far it was behind then. */
  readonly lagSeconds: number | undefined;
  /** Kinds whose watch was not established then. */
  readonly notWatched: readonly string[];
}

/** A cluster, or what is left of one that is not registered. Times are Unix seconds. */
export interface ClusterState {
  readonly name: string;
  /** Undefined: it is not registered. */
  readonly registration: Registration | undefined;
  /** Records by kind. */
  readonly objects: Readonly<Record<string, number>>;
  /** Objects whose last pass failed, and the worst of them. */
  readonly failing: number;
  readonly failingLongestSince: number | undefined;
  /** Objects whose due time has come, and the one that has waited longest. */
  readonly overdue: number;
  readonly overdueSince: number | undefined;
  /** Objects that wait for the cluster to answer again. */
  readonly parked: number;
  /** Until when nothing is asked of it; undefined when it may be asked. */
  readonly circuitOpenUntil: number | undefined;
  readonly relay: RelayState;
}

/** A host that nobody, or one namespace, asks anything for now. */
export interface OpenCircuit {
  /** Scheme, host and port, and behind them `#cluster#namespace` when it is one namespace's. */
  readonly scope: string;
  readonly openUntil: number;
  readonly failures: number;
}

/** All of it. */
export interface Tally {
  readonly clusters: readonly ClusterState[];
  readonly openHosts: readonly OpenCircuit[];
  readonly items: number;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };
type Counting = Writable<Omit<ClusterState, 'objects' | 'relay'>> & {
  readonly objects: Record<string, number>;
  readonly relay: Writable<Omit<RelayState, 'checkpoints'>> & { readonly checkpoints: Record<string, string> };
};

const nothing = (name: string): Counting => ({
  name,
  registration: undefined,
  objects: {},
  failing: 0,
  failingLongestSince: undefined,
  overdue: 0,
  overdueSince: undefined,
  parked: 0,
  circuitOpenUntil: undefined,
  relay: { epoch: undefined, checkpoints: {}, heartbeatAt: undefined, lagSeconds: undefined, notWatched: [] },
});

const earlier = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);

const countRecord = (cluster: Counting, item: Item, now: number): void => {
  const target = targetOfRecordKey(text(item, 'pk') ?? '');
  const kind = target?.kind ?? '';
  // A page of polls is due like an object, and is none.
  if (target === undefined || pageIn(target) === undefined) cluster.objects[kind] = (cluster.objects[kind] ?? 0) + 1;
  if ((number(item, 'attempts') ?? 0) > 0) {
    cluster.failing += 1;
    cluster.failingLongestSince = earlier(cluster.failingLongestSince, number(item, 'failingSince'));
  }
  const dueAt = number(item, 'dueAt');
  // Beyond the shards that are swept, what waits for the cluster to come back is kept: its due time is none.
  if ((number(item, 'dueShard') ?? 0) >= dueShards) cluster.parked += 1;
  else if (dueAt === undefined || dueAt > now) return;
  else noteOverdue(cluster, dueAt);
};

const noteOverdue = (cluster: Counting, dueAt: number): void => {
  cluster.overdue += 1;
  cluster.overdueSince = earlier(cluster.overdueSince, dueAt);
};

const checkpointPrefix = 'checkpoint#';
/** Where a relay says how far all kinds are in one item, before the kind in the name of the attribute. */
const placePrefix = 'at_';

const noteRelay = ({ relay }: Counting, item: Item): void => {
  const sk = text(item, 'sk') ?? '';
  if (sk.startsWith(checkpointPrefix))
    relay.checkpoints[sk.slice(checkpointPrefix.length)] = text(item, 'resourceVersion') ?? '';
  for (const name of Object.keys(item).filter((one) => one.startsWith(placePrefix)))
    relay.checkpoints[name.slice(placePrefix.length)] = text(item, name) ?? '';
  relay.epoch = text(item, 'epoch') ?? relay.epoch;
  relay.heartbeatAt = number(item, 'beatAt') ?? relay.heartbeatAt;
  relay.lagSeconds = number(item, 'lagSeconds') ?? relay.lagSeconds;
  relay.notWatched = [...relay.notWatched, ...set(item, 'notWatched')];
};

/** Counts items one after the other; `now` in Unix seconds. */
export const tallying = (now: number): { add(item: Item): void; result(): Tally } => {
  const clusters = new Map<string, Counting>();
  const openHosts: OpenCircuit[] = [];
  let items = 0;

  const named = (name: string): Counting => {
    const known = clusters.get(name) ?? nothing(name);
    clusters.set(name, known);
    return known;
  };

  const noteCircuit = (item: Item): void => {
    const openUntil = number(item, 'openUntil');
    if (text(item, 'sk') !== circuitSortKey || openUntil === undefined) return;
    const cluster = clusterOfItem(item);
    const pk = text(item, 'pk') ?? '';
    if (cluster !== undefined && pk === circuitKey(clusterScope(cluster))) named(cluster).circuitOpenUntil = openUntil;
    else if (openUntil > now)
      openHosts.push({ scope: pk.slice('circuit#'.length), openUntil, failures: number(item, 'failures') ?? 0 });
  };

  return {
    add: (item) => {
      items += 1;
      const cluster = clusterOfItem(item);
      if (cluster !== undefined && itemType(item) !== 'circuit') named(cluster);
      switch (itemType(item)) {
        case 'registration':
          named(cluster ?? '').registration = JSON.parse(text(item, 'registration') ?? 'null') as Registration;
          break;
        case 'object':
          if (text(item, 'sk') === recordSortKey) countRecord(named(cluster ?? ''), item, now);
          break;
        case 'relay':
          noteRelay(named(cluster ?? ''), item);
          break;
        case 'circuit':
          noteCircuit(item);
          break;
      }
    },
    result: () => ({
      clusters: [...clusters.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)),
      openHosts: openHosts.toSorted((a, b) => b.failures - a.failures),
      items,
    }),
  };
};
