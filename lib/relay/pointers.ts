/** Whom an event wakes: pure, so that the relay is this table and a loop (DESIGN §3.1, §3.8). */
import type { WatchedMeta } from '../kube/watch-events.ts';
import type { Message, Reason } from '../queue/message.ts';
import { CLUSTER_KIND, dependentsRow, kindTable, sourceOnlyKinds } from '../reconcile/kind-table.ts';

/** A kind that the relay watches. */
export interface WatchedKind {
  readonly kind: string;
  readonly labelSelector: string | undefined;
  /** Its own queue; undefined when it only wakes others. */
  readonly queue: string | undefined;
  readonly ownedBy: string | undefined;
  /** Its owner hears of its deletion only. */
  readonly onlyGone: boolean;
  /** Its owner is unfinished until this is. */
  readonly ownerWaits: boolean;
  readonly hasDependents: boolean;
}

/** Every watched kind, from the kind table. */
export const watchedKinds: readonly WatchedKind[] = [
  ...kindTable
    .filter(({ watched }) => watched)
    .map(({ kind, name, ownedBy, ownerWaits = false, hasDependents }) => ({
      kind,
      labelSelector: undefined,
      queue: name,
      ownedBy,
      onlyGone: false,
      ownerWaits,
      hasDependents,
    })),
  ...sourceOnlyKinds.map(({ kind, ownedBy, onlyGone = false, ownerWaits = false, hasDependents, labelSelector }) => ({
    kind,
    labelSelector,
    queue: undefined,
    ownedBy,
    onlyGone,
    ownerWaits,
    hasDependents,
  })),
];

/** Which history of versions an event belongs to. */
export interface Origin {
  readonly cluster: string;
  readonly epoch: string;
}

/** A wake-up and the queue it goes to. */
export interface Routed {
  readonly queue: string;
  readonly message: Message;
}

const queueOfKind = (kind: string): string | undefined => kindTable.find((row) => row.kind === kind)?.name;

/**
 * The wake-ups for one event. `listOccasion` is given when the object was found by a list. An object that was just `added` is no news to
 * its owner, who made it in a pass that is repeated if it did not end; what becomes of it is, of some kinds only that it was `deleted`. A
 * list that is the `first` of a history tells no owner of what it waits for: it is woken by the gap that is told of behind the list.
 */
export const pointersFor = (
  watched: WatchedKind,
  meta: WatchedMeta,
  { cluster, epoch }: Origin,
  listOccasion?: string,
  {
    added = false,
    deleted = false,
    first = false,
  }: {
    readonly added?: boolean;
    readonly deleted?: boolean;
    readonly first?: boolean;
  } = {},
): readonly Routed[] => {
  const name = meta.name ?? '';
  const namespace = meta.namespace ?? '';
  const cause = {
    kind: watched.kind,
    namespace,
    name,
    uid: meta.uid ?? '',
    resourceVersion: meta.resourceVersion ?? '',
  };
  const message = (target: Message['target'], reason: Reason, occasion?: string): Message => ({
    v: 1,
    cluster,
    epoch,
    target,
    cause,
    reason,
    ...(occasion === undefined ? {} : { occasion }),
  });
  const routed: Routed[] = [];
  const self = { kind: watched.kind, namespace, name };
  if (watched.queue !== undefined)
    routed.push({
      queue: watched.queue,
      message: listOccasion === undefined ? message(self, 'self') : message(self, 'list', listOccasion),
    });
  const owner = meta.ownerReferences?.find(({ controller }) => controller === true);
  const isNews = watched.onlyGone ? deleted : !added && !(first && watched.ownerWaits);
  if (isNews && owner?.kind === watched.ownedBy && owner?.apiVersion.startsWith('kpack.io/') === true) {
    const queue = queueOfKind(owner.kind);
    const target = { kind: owner.kind, namespace, name: owner.name };
    // A list tells the owner as well: what happened to the child in a gap comes in no other event. The skip rule makes it free
    // when the owner has seen that version. Each child is an occasion of its own, or only the first would be delivered.
    const occasion = `${listOccasion ?? ''}/${watched.kind}/${name}`;
    if (queue !== undefined)
      routed.push({
        queue,
        message: listOccasion === undefined ? message(target, 'child') : message(target, 'list', occasion),
      });
  }
  if (watched.hasDependents)
    routed.push({
      queue: dependentsRow.name,
      message: listOccasion === undefined ? message(self, 'self') : message(self, 'list', listOccasion),
    });
  return routed;
};

/** What became of a cluster's watches: they may have missed events, or were interrupted and are established again. */
export type ClusterNews = 'gap' | 'back';

/**
 * Tells the functions, who may look into the table, to wake what waits or may have been missed in this cluster
 * (lib/dependents/hear-of-cluster.ts). Of a gap it is said in the events of which kind it was. Each telling is an occasion of its own: what
 * was woken a moment ago may have happened before.
 */
export const clusterNews = (
  { cluster, epoch }: Origin,
  news: ClusterNews,
  now: Date,
  ofKind: string = CLUSTER_KIND,
): Routed => {
  const target = { kind: CLUSTER_KIND, namespace: '', name: news };
  return {
    queue: dependentsRow.name,
    message: {
      v: 1,
      cluster,
      epoch,
      target,
      cause: { ...target, kind: ofKind, uid: '', resourceVersion: '' },
      reason: 'dependency',
      occasion: `${news}@${now.getTime()}/${ofKind}`,
    },
  };
};
