/**
 * The one table of everything that is woken: queue, function, limits, and whom its events wake (DESIGN §3.21). serverless.yml is
 * checked against it by a test. Adding a kind is one row here and one folder under functions/.
 */

/** A row. The queue is `<name>.fifo`, its dead-letter queue `<name>-dlq.fifo`, its function `functions/<name>/handler.ts`. */
export interface KindRow {
  readonly kind: string;
  readonly name: string;
  /** The relay watches this kind in the clusters. */
  readonly watched: boolean;
  /** Others depend on it: its events also go to the dependents queue. */
  readonly hasDependents: boolean;
  /** The controlling kind that its events wake, by ownerReference. */
  readonly ownedBy?: string;
  /** Its owner is unfinished until this is: after a gap, it is woken whatever a list says (lib/sweeper/wake-unfinished.ts). */
  readonly ownerWaits?: true;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  /** Invocations at once on AWS; in standalone mode one number holds for all (infra/standalone). */
  readonly concurrency: number;
}

const row = (kind: string, name: string, rest: Partial<KindRow> = {}): KindRow => ({
  kind,
  name,
  watched: true,
  hasDependents: false,
  timeoutSeconds: 60,
  memoryMb: 512,
  concurrency: 10,
  ...rest,
});

/** Every kind that has a reconciler. */
export const kindTable: readonly KindRow[] = [
  row('Image', 'image', { concurrency: 50 }),
  row('Build', 'build', { ownedBy: 'Image', ownerWaits: true, timeoutSeconds: 120, concurrency: 50 }),
  row('SourceResolver', 'source-resolver', { ownedBy: 'Image', concurrency: 20 }),
  row('Builder', 'builder', { hasDependents: true, timeoutSeconds: 300, memoryMb: 1024, concurrency: 20 }),
  row('ClusterBuilder', 'cluster-builder', {
    hasDependents: true,
    timeoutSeconds: 300,
    memoryMb: 1024,
    concurrency: 20,
  }),
  row('Buildpack', 'buildpack', { hasDependents: true, timeoutSeconds: 120 }),
  row('ClusterBuildpack', 'cluster-buildpack', { hasDependents: true, timeoutSeconds: 120 }),
  row('ClusterStore', 'cluster-store', { hasDependents: true, timeoutSeconds: 120 }),
  row('ClusterStack', 'cluster-stack', { hasDependents: true, timeoutSeconds: 120 }),
  row('ClusterLifecycle', 'cluster-lifecycle', { hasDependents: true, timeoutSeconds: 120 }),
  row('GitPoll', 'git-poll', { watched: false, concurrency: 20 }),
];

/** The function that tells dependents; its queue carries the dependency itself as target. */
export const dependentsRow: KindRow = row('Dependents', 'dependents', { watched: false, timeoutSeconds: 120 });

/**
 * On AWS alone: the function that hands on what came in bulk, and its queue, whose messages are for other kinds (lib/queue/hand-on.ts). It may wait
 * for room, so its messages are received often before anything is wrong.
 */
export const bulkRow: KindRow = row('Bulk', 'bulk', { watched: false, memoryMb: 256, concurrency: 40 });

/** Kind of the targets by which a relay says what became of its watches, and a sweep that a cluster is to be probed; the dependents queue takes them. */
export const CLUSTER_KIND = 'Cluster';

/** Kind of the causes by which a push wakes polls; its name is the digest of the repository's place. */
export const PUSH_KIND = 'Push';

/** Kinds that are watched only because their events wake somebody else. */
export const sourceOnlyKinds: readonly {
  readonly kind: string;
  readonly ownedBy?: string;
  /** The owner wants to hear that it is gone, and of nothing else: what others write into it changes nothing for the owner. */
  readonly onlyGone?: true;
  readonly ownerWaits?: true;
  readonly hasDependents: boolean;
  readonly labelSelector?: string;
}[] = [
  { kind: 'Pod', ownedBy: 'Build', ownerWaits: true, hasDependents: false, labelSelector: 'kpack.io/build' },
  { kind: 'PersistentVolumeClaim', ownedBy: 'Image', onlyGone: true, hasDependents: false },
  { kind: 'ServiceAccount', hasDependents: true },
];

/** What the dependents queue may carry: kinds that others may depend on, and news of a cluster. */
export const mayHaveDependents = (kind: string): boolean =>
  kind === CLUSTER_KIND ||
  [...kindTable, ...sourceOnlyKinds].some((entry) => entry.kind === kind && entry.hasDependents);

/** The kind that owns objects of `kind` and is woken by their events; undefined when nobody is. */
export const ownerKindOf = (kind: string): string | undefined =>
  [...kindTable, ...sourceOnlyKinds].find((entry) => entry.kind === kind)?.ownedBy;

/** All rows whose queue wakes something. */
export const queueRows: readonly KindRow[] = [...kindTable, dependentsRow];

/** All rows that have a queue on AWS. */
export const sqsRows: readonly KindRow[] = [...queueRows, bulkRow];

const byKind = new Map(queueRows.map((entry) => [entry.kind, entry]));

/** The row of a kind that is reconciled; undefined for others. */
export const rowOf = (kind: string): KindRow | undefined => byKind.get(kind);

/** Name of the queue that wakes `kind`. */
export const queueOf = (kind: string): string => {
  const found = byKind.get(kind);
  if (found === undefined) throw new Error(`kind ${kind} has no queue: add a row to lib/reconcile/kind-table.ts`);
  return found.name;
};

/** Visibility time-out of a queue: the function's own limit and half a minute (DESIGN §3.3). */
export const visibilitySeconds = ({ timeoutSeconds }: KindRow): number => timeoutSeconds + 30;

/** Receives before a message counts as poison (DESIGN §3.3). */
export const maxReceiveCount = 5;

/** The same by queue: what waits in bulk may have to for hours, and takes the most that SQS offers. */
export const maxReceiveCountOf = (row: KindRow): number => (row === bulkRow ? 1000 : maxReceiveCount);
