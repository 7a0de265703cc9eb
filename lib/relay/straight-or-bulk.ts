/**
 * How much one tenant may send straight to a queue. What is beyond a burst goes in bulk, where tenants take turns (DESIGN §3.32), so that nobody has
 * more than a burst before anybody.
 */
import type { Bursts } from '../queue/bursts.ts';
import type { Routed } from './pointers.ts';

/** An event of somebody who has sent many of late is one in bulk. Lists are judged where they are sent, and news of the cluster waits for nobody. */
export const inTurn = (bursts: Bursts, now: number, { queue, message }: Routed): Routed => {
  const isEvent = message.reason === 'self' || message.reason === 'child';
  if (!isEvent || bursts.take(`${message.target.namespace}/${queue}`, now)) return { queue, message };
  return { queue, message: { ...message, bulk: true } };
};
