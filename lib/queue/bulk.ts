/**
 * What comes by the thousand, and must not stand before what somebody has just done (DESIGN §3.32): lists, dependents, what is due. It is marked
 * where it is sent, and whoever is woken by nothing else wakes others in bulk too, so that the mark goes with the work to its end. Pure.
 */
import type { TargetKey } from '../state/keys.ts';
import { type Message, type Reason, targetOf } from './message.ts';

const manyAtOnce: ReadonlySet<Reason> = new Set(['list', 'dependency', 'due', 'redrive']);

/** So many of one cause are no bulk: they are worked off before anybody notices. */
export const fewAtOnce = 10;

/** Whether it may wait: it is one of many, or comes for a reason that has time. */
export const mayWait = ({ bulk = false, reason }: Pick<Message, 'bulk' | 'reason'>): boolean =>
  bulk || manyAtOnce.has(reason);

/** The messages of one sending, marked where they are many. */
export const markBulk = (messages: readonly Message[]): readonly Message[] => {
  const waiting = messages.filter(mayWait);
  return waiting.length <= fewAtOnce
    ? messages
    : messages.map((message) => (mayWait(message) ? { ...message, bulk: true } : message));
};

/** Who is woken by these is woken in bulk, and so is whom he wakes. */
export const areBulk = (messages: readonly Pick<Message, 'bulk'>[]): boolean =>
  messages.length > 0 && messages.every(({ bulk = false }) => bulk);

/** On whose account something is done: a namespace of a cluster. Text, as part of keys. */
export const tenantOf = ({ cluster, namespace }: Pick<TargetKey, 'cluster' | 'namespace'>): string =>
  `${cluster}/${namespace}`;

/** All in an order in which tenants take turns, each with its own in the order they came. */
export const tenantsInTurn = <T>(all: readonly T[], of: (one: T) => string): readonly T[] => {
  const rings = [...Map.groupBy(all, of).values()];
  const longest = Math.max(0, ...rings.map(({ length }) => length));
  return Array.from({ length: longest }, (_, at) => rings.flatMap((ring) => ring.slice(at, at + 1))).flat();
};

/** How many invocations at once work off what one tenant has in bulk for one kind. */
const lanesEach = 4;

const laneOf = (text: string): number => {
  let sum = 0;
  for (const byte of Buffer.from(text)) sum = (sum * 31 + byte) % 65_521;
  return sum % lanesEach;
};

/**
 * The lane of a message in bulk for `queue`, as text: SQS gives no second batch of a lane that is being worked on, so that tenants are in turn. A
 * lane leads to one queue: one that is full holds up nothing that goes elsewhere. An object is always in the same one.
 */
export const bulkLaneOf = (message: Message, queue: string): string => {
  const target = targetOf(message);
  return `${tenantOf(target)}/${queue}/${laneOf(target.name)}`;
};
