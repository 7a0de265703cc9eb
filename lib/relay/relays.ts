/**
 * The relays of several clusters in one process: each starts when its cluster can be reached, and none waits for another or ends with it.
 */
import { sleep } from '../kube/sleep.ts';
import { pauseSeconds } from '../kube/watch-times.ts';
import { type Log, sayError } from '../reconcile/log.ts';
import { type Relay, type RelayPorts, startRelay } from './relay.ts';

/** What they need. */
export interface RelaysPorts {
  /** The way into a cluster, as it is registered or configured now. May throw: then it is asked for again, half a minute later at most. */
  readonly connect: (cluster: string) => Promise<Pick<RelayPorts, 'transport' | 'kube'>>;
  readonly rest: Omit<RelayPorts, 'cluster' | 'transport' | 'kube'>;
}

/** Starts one relay a cluster; returns at once. Kinds that are not watched yet are named with their cluster when there are several. */
export const startRelays = (
  clusters: readonly string[],
  { connect, rest }: RelaysPorts,
  signal: AbortSignal,
): Relay => {
  const log: Log = rest.log;
  const relays = new Map<string, Relay>();

  const run = async (cluster: string): Promise<void> => {
    for (let failures = 1; !signal.aborted; failures += 1)
      try {
        const relay = startRelay({ ...rest, cluster, ...(await connect(cluster)) }, signal);
        relays.set(cluster, relay);
        return await relay.stopped;
      } catch (error) {
        log('warn', 'connecting to a cluster failed', { cluster, why: sayError(error) });
        await sleep(pauseSeconds(failures, rest.random()) * 1000, signal);
      }
  };

  const notReadyOf = (cluster: string): readonly string[] => {
    const missing = relays.get(cluster)?.notReady() ?? ['everything'];
    return clusters.length === 1 ? missing : missing.map((kind) => `${kind} of ${cluster}`);
  };

  const stopped = Promise.all(clusters.map(run)).then(() => undefined);
  return {
    notReady: () => clusters.flatMap(notReadyOf),
    measure: (metrics) => {
      for (const relay of relays.values()) relay.measure(metrics);
    },
    sent: () => [...relays.values()].reduce((sum, relay) => sum + relay.sent(), 0),
    stopped,
  };
};
