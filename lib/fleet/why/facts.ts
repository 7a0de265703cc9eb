/** What is known of one object, wherever it is known: the cluster, the table, the queues, the log. Reads and nothing else. */
import type { ConditionedStatus } from '../../api/condition.ts';
import { isKind } from '../../api/kinds.ts';
import { buildPodName, sourceResolverName } from '../../api/names.ts';
import { ExpectedError, PermanentError } from '../../errors/expected.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { KubeObject, ObjectKey } from '../../kube/object.ts';
import type { Depth } from '../../queue/letters.ts';
import { queueOf } from '../../reconcile/kind-table.ts';
import { GIT_POLL_KIND } from '../../sources/polling.ts';
import { number } from '../../state/attributes.ts';
import { Clusters } from '../../state/clusters.ts';
import {
  circuitKey,
  circuitSortKey,
  clusterScope,
  recordKey,
  recordSortKey,
  type TargetKey,
} from '../../state/keys.ts';
import { PollPages } from '../../state/poll-pages.ts';
import { type PollRow, Polls } from '../../state/polls.ts';
import { type ObjectRecord, Records } from '../../state/records.ts';
import type { Table } from '../../state/table.ts';

/** An object with conditions. */
export type Seen = KubeObject & { readonly spec?: unknown; readonly status?: ConditionedStatus & object };

/** A look at an object: it, that there is none, or why nobody knows. */
export type Look = { readonly object: Seen } | { readonly absent: true } | { readonly unknown: string };

/** A line of the log about a pass. */
export interface PassTold {
  /** RFC 3339. */
  readonly at: string;
  readonly what: string;
  readonly result?: string | undefined;
  readonly why?: string | undefined;
  readonly ms?: number | undefined;
}

/** All of it. Times are Unix seconds. */
export interface Facts {
  readonly target: TargetKey;
  readonly now: number;
  readonly isRegistered: boolean;
  readonly look: Look;
  /** Undefined: no pass has recorded anything of it. */
  readonly record: ObjectRecord | undefined;
  readonly circuitOpenUntil: number | undefined;
  /** Objects that it waits for or is made of, each as it is. */
  readonly related: readonly { readonly key: ObjectKey; readonly look: Look }[];
  /** Of a GitPoll its row; of a SourceResolver that of the poll that it follows, and when that is due, by itself or with its page. */
  readonly poll: { readonly row: PollRow; readonly dueAt: number | undefined } | undefined;
  readonly queue: { readonly name: string; readonly depth: Depth };
  /** The latest first. */
  readonly passes: readonly PassTold[];
}

/** Where facts come from. */
export interface FactPorts {
  readonly table: Table;
  readonly depth: (queue: string) => Promise<Depth>;
  /** The cluster's API, or why it cannot be asked. */
  readonly kube: KubeClient | string;
  readonly passes: (target: TargetKey, queue: string) => Promise<readonly PassTold[]>;
}

/** Related objects that are looked at. */
const mostRelated = 20;

/** @throws what is a bug */
const lookAt = async (kube: KubeClient | string, key: ObjectKey): Promise<Look> => {
  if (typeof kube === 'string') return { unknown: kube };
  try {
    const object = await kube.get<Seen>(key);
    return object === undefined ? { absent: true } : { object };
  } catch (error) {
    if (error instanceof ExpectedError || error instanceof PermanentError) return { unknown: error.message };
    throw error;
  }
};

const splitEdge = (edge: string): ObjectKey => {
  const [kind = '', namespace = '', ...name] = edge.split('#');
  return { kind, namespace, name: name.join('#') };
};

/** What stands beside the object: what it depends on, its parts. */
const relatedTo = (
  { kind, namespace, name }: TargetKey,
  look: Look,
  edges: readonly string[],
): readonly ObjectKey[] => {
  const depends = edges.map(splitEdge).filter((key) => isKind(key.kind) && key.name !== '*');
  const status = ('object' in look ? look.object.status : undefined) as
    | { readonly latestBuildRef?: string }
    | undefined;
  const parts: ObjectKey[] = [];
  if (kind === 'Image') {
    parts.push({ kind: 'SourceResolver', namespace, name: sourceResolverName(name) });
    if (status?.latestBuildRef) parts.push({ kind: 'Build', namespace, name: status.latestBuildRef });
  }
  if (kind === 'Build') parts.push({ kind: 'Pod', namespace, name: buildPodName(name) });
  return [...parts, ...depends].slice(0, mostRelated);
};

const pollOf = async (table: Table, target: TargetKey, record: ObjectRecord | undefined): Promise<Facts['poll']> => {
  const edge = record?.edges.map(splitEdge).find(({ kind }) => kind === GIT_POLL_KIND);
  const key = target.kind === GIT_POLL_KIND ? target : edge && { cluster: target.cluster, ...edge };
  if (key === undefined) return undefined;
  const row = await new Polls(table).read(key);
  if (row === undefined) return undefined;
  if (row.isDueAlone || row.page === undefined)
    return { row, dueAt: number((await table.get(recordKey(key), recordSortKey)) ?? {}, 'dueAt') };
  const page = { ...key, namespace: '', name: row.page };
  const { state } = await new PollPages(table).read(page);
  return { row: { ...row, askedAt: Math.max(row.askedAt ?? 0, state?.askedAt ?? 0) }, dueAt: state?.dueAt };
};

/** Gathers them. @throws StateError, QueueError */
export const factsOf = async (ports: FactPorts, target: TargetKey, now: number): Promise<Facts> => {
  const { table, kube } = ports;
  const { cluster, kind, namespace, name } = target;
  const hasRecord = (await table.get(recordKey(target), recordSortKey)) !== undefined;
  const record = hasRecord ? await new Records(table).read(target) : undefined;
  const look: Look = isKind(kind) ? await lookAt(kube, { kind, namespace, name }) : { unknown: '' };
  const related = await Promise.all(
    relatedTo(target, look, record?.edges ?? []).map(async (key) => ({ key, look: await lookAt(kube, key) })),
  );
  const circuit = (await table.get(circuitKey(clusterScope(cluster)), circuitSortKey)) ?? {};
  const queue = queueOf(kind);
  return {
    target,
    now,
    isRegistered: (await new Clusters(table).registration(cluster)) !== undefined,
    look,
    record,
    circuitOpenUntil: number(circuit, 'openUntil'),
    related,
    poll: await pollOf(table, target, record),
    queue: { name: queue, depth: await ports.depth(queue) },
    passes: await ports.passes(target, queue),
  };
};
