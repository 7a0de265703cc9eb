/** A relay as a process runs it. */
import type { ClusterConnections } from '../../../lib/clusters/connect.ts';
import { kubeClient } from '../../../lib/kube/client.ts';
import type { Sender } from '../../../lib/queue/send.ts';
import { type Log, sayError } from '../../../lib/reconcile/log.ts';
import type { Received } from '../../../lib/reconcile/received.ts';
import { startRelays } from '../../../lib/relay/relays.ts';
import type { Table } from '../../../lib/state/table.ts';
import { WatchHistory } from '../../../lib/state/watch-history.ts';
import { cluster, type World } from '../world.ts';

/** What it needs. */
export interface RelayParts {
  readonly world: World;
  readonly table: Table;
  readonly sender: Sender;
  readonly log: Log;
  readonly received?: Received | undefined;
  /** The way into the cluster of functions in the same process; its own without. */
  readonly connections?: ClusterConnections | undefined;
}

/** Starts it, as part of whose code is running. */
export const beginRelay = (
  { world, table, sender, log, received, connections }: RelayParts,
  signal: AbortSignal,
): void => {
  startRelays(
    [cluster],
    {
      connect: async () => {
        const transport = (await connections?.transport(cluster)) ?? world.api.transport();
        return { transport, kube: (await connections?.client(cluster, signal)) ?? kubeClient(transport, signal) };
      },
      rest: {
        history: new WatchHistory(table),
        sender,
        clock: () => new Date(),
        random: () => Math.random(),
        log,
        ...(received === undefined ? {} : { received }),
      },
    },
    signal,
  ).stopped.catch((error: unknown) => world.violate(`a relay failed by itself: ${sayError(error)}`));
};
