/**
 * What a relay says of its watches, heard by a function: the relay itself may look into no record (DESIGN §3.26). After a gap, what is
 * unfinished and owns what events were missed of is woken; after an outage, what was parked.
 */
import type { Message } from '../queue/message.ts';
import { ownerKindOf } from '../reconcile/kind-table.ts';
import type { ClusterNews } from '../relay/pointers.ts';
import { wakeUnfinished } from '../sweeper/wake-unfinished.ts';
import { type ComeBackPorts, comeBack } from './come-back.ts';

/** Whether a target's name is news of a cluster. */
export const isClusterNews = (name: string): name is ClusterNews => name === 'gap' || name === 'back';

/** The kinds that own what events were missed of, as the messages say; undefined, which is all, when one of them does not. */
const ownersOf = (messages: readonly Message[]): ReadonlySet<string> | undefined => {
  const owners = messages.map(({ cause }) => ownerKindOf(cause.kind));
  return owners.includes(undefined) ? undefined : new Set(owners.filter((kind) => kind !== undefined));
};

/** Gives the number of wake-ups sent, and whether all were before `signal` aborted. @throws StateError, QueueError */
export const hearOfCluster = async (
  ports: ComeBackPorts,
  cluster: string,
  news: ClusterNews,
  messages: readonly Message[],
  signal?: AbortSignal,
): Promise<{ readonly woken: number; readonly areAll: boolean }> => {
  if (news === 'back') return comeBack(ports, cluster, signal);
  const now = Math.floor(ports.clock().getTime() / 1000);
  return { woken: await wakeUnfinished(ports, cluster, now, { kinds: ownersOf(messages) }), areAll: true };
};
