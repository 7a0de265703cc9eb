/**
 * What a relay says of its watches, heard by a function: the relay itself may look into no record (DESIGN §3.26). After a gap, what is
 * unfinished is woken; after an outage, what was parked.
 */
import type { ClusterNews } from '../relay/pointers.ts';
import { wakeUnfinished } from '../sweeper/wake-unfinished.ts';
import { type ComeBackPorts, comeBack } from './come-back.ts';

/** Whether a target's name is news of a cluster. */
export const isClusterNews = (name: string): name is ClusterNews => name === 'gap' || name === 'back';

/** Gives the number of wake-ups sent. @throws StateError, QueueError */
export const hearOfCluster = (ports: ComeBackPorts, cluster: string, news: ClusterNews): Promise<number> =>
  news === 'back'
    ? comeBack(ports, cluster)
    : wakeUnfinished(ports, cluster, Math.floor(ports.clock().getTime() / 1000));
