/**
 * Whose an item of the table is: what has to go when a cluster does. Every kind of item that keys.ts lists has its rule here; a test compares
 * the two lists.
 */
import { set, text } from './attributes.ts';
import type { Item } from './table.ts';

/** Where the name of the cluster stands in the key of an item, by the first word of its partition key. */
type Place = (pk: readonly string[], sk: readonly string[]) => string | undefined;

const second: Place = ([, cluster]) => cluster;
const firstOfSortKey: Place = (_, [cluster]) => cluster;

const clusterPrefix = 'cluster/';

/** By the first word of the partition key. */
export const places: Readonly<Record<string, Place>> = {
  object: second,
  edge: second,
  registration: second,
  relay: second,
  // `circuit#cluster/NAME`, `circuit#https://host:443#NAME#NAMESPACE`; that of a host alone is everybody's.
  circuit: ([, scope = '', cluster]) => (scope.startsWith(clusterPrefix) ? scope.slice(clusterPrefix.length) : cluster),
  // `slots#NAME#NAMESPACE`; of the installation's those who wait are somebody's.
  slots: ([, scope, namespace], [word, cluster]) =>
    namespace === undefined ? (word === 'waiting' ? cluster : undefined) : scope,
  hook: firstOfSortKey,
  // The names of all clusters, one an item.
  clusters: firstOfSortKey,
  redrive: () => undefined,
};

/** The first word of an item's partition key: what kind of item it is. */
export const itemType = (item: Item): string => (text(item, 'pk') ?? '').split('#', 1)[0] ?? '';

/** The cluster that an item is of; undefined for what all share, and for what no rule knows. */
export const clusterOfItem = (item: Item): string | undefined => {
  const [pk, sk] = [(text(item, 'pk') ?? '').split('#'), (text(item, 'sk') ?? '').split('#')];
  return places[pk[0] ?? '']?.(pk, sk);
};

/** Sets that all clusters share, whose members begin with a cluster's name: who holds a slot, who complained of a host. */
export const sharedSets = ['holders', 'witnesses'] as const;

const isOf =
  (cluster: string) =>
  (member: string): boolean =>
    member.startsWith(`${cluster}#`);

/** Members of such sets that are the cluster's. */
export const membersOf = (item: Item, cluster: string): readonly string[] =>
  sharedSets.flatMap((name) => set(item, name).filter(isOf(cluster)));

/** Whether an item is the cluster's, or one whose kind no rule knows and that names it anywhere in its key: better one too many than one that stays. */
export const belongsTo = (item: Item, cluster: string): boolean => {
  if (places[itemType(item)] !== undefined) return clusterOfItem(item) === cluster;
  const words = [text(item, 'pk') ?? '', text(item, 'sk') ?? ''].flatMap((key) => key.split(/[#/]/u));
  return words.includes(cluster);
};
