/** Edges that a record says nothing of, found out when they wake somebody (DESIGN §3.8). */
import type { Message } from '../queue/message.ts';
import { type ObjectRecord, showDependency } from '../state/records.ts';
import { CLUSTER_KIND, mayHaveDependents } from './kind-table.ts';

/** The part of a message that the rule looks at. */
export type Wakeup = Pick<Message, 'cause' | 'reason'>;

/** Every edge that may have led from the cause to whom it woke. */
const mayHaveLed = ({ cause: { kind, namespace, name }, reason }: Wakeup): readonly string[] =>
  reason === 'dependency' && kind !== CLUSTER_KIND && mayHaveDependents(kind)
    ? [name, '*'].map((each) => showDependency({ kind, namespace, name: each }))
    : [];

/**
 * The record, with the edges that `messages` came through and that it does not call certain: they may exist. A pass that died between an edge
 * and its record left such a one; the pass that it wakes clears it away, unless it is wanted.
 */
export const withEdgesThatWoke = (record: ObjectRecord, messages: readonly Wakeup[]): ObjectRecord => {
  const unexplained = messages
    .map(mayHaveLed)
    .filter((led) => !led.some((edge) => record.edges.includes(edge)))
    .flat();
  if (unexplained.length === 0) return record;
  return { ...record, looseEdges: [...new Set([...record.looseEdges, ...unexplained])] };
};
