/** The one long-running process: watch → queue, nothing else. Its clusters are named by KPACKLESS_CLUSTERS, comma-separated. */
import { serveHealth } from '../../lib/relay/health.ts';
import { startRelay } from '../../lib/relay/relay.ts';
import { ports } from '../ports.ts';

const wired = ports();
const names = (process.env['KPACKLESS_CLUSTERS'] ?? '').split(',').filter((name) => name !== '');
if (names.length === 0)
  throw new Error('KPACKLESS_CLUSTERS names no cluster: give the names of registered clusters, comma-separated');

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

const relays = await Promise.all(
  names.map(async (cluster) =>
    startRelay(
      {
        ...wired,
        cluster,
        transport: await wired.connections.transport(cluster),
        kube: await wired.connections.client(cluster, stop.signal),
      },
      stop.signal,
    ),
  ),
);
const health = await serveHealth('0.0.0.0', Number(process.env['KPACKLESS_HEALTH_PORT'] ?? 8080), () =>
  relays.flatMap((relay) => relay.notReady()),
);
await Promise.all(relays.map(({ stopped }) => stopped));
await health.close();
