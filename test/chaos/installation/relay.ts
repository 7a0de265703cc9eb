/** A relay as a process runs it. */
import { kubeClient } from '../../../lib/kube/client.ts';
import type { Sender } from '../../../lib/queue/send.ts';
import { type Log, sayError } from '../../../lib/reconcile/log.ts';
import type { Received } from '../../../lib/reconcile/received.ts';
import { startRelay } from '../../../lib/relay/relay.ts';
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
}

/** Starts it, as part of whose code is running; one that cannot start ends its process. */
export const beginRelay = ({ world, table, sender, log, received }: RelayParts, signal: AbortSignal): void => {
  const { life } = world.time;
  const transport = world.api.transport();
  startRelay(
    {
      cluster,
      transport,
      kube: kubeClient(transport, signal),
      history: new WatchHistory(table),
      sender,
      clock: () => new Date(),
      random: () => Math.random(),
      log,
      ...(received === undefined ? {} : { received }),
    },
    signal,
  )
    .then((relay) => relay.stopped)
    .catch((error: unknown) => {
      log('warn', 'the relay ended', { why: sayError(error) });
      if (life?.isAlive === true) world.kill(life);
    });
};
