/**
 * The one long-running process: watch → queue, nothing else. Its clusters are named by KPACKLESS_CLUSTERS, comma-separated; the one it
 * runs in by KPACKLESS_OWN_CLUSTER, which it enters with its ServiceAccount instead of the way the functions are registered for.
 */
import { kubeClient } from '../../lib/kube/client.ts';
import { inClusterConfig } from '../../lib/kube/kubeconfig.ts';
import { kubeTransport } from '../../lib/kube/transport.ts';
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
  names.map(async (cluster) => {
    const isOwn = cluster === process.env['KPACKLESS_OWN_CLUSTER'];
    const transport = isOwn ? kubeTransport(inClusterConfig()) : await wired.connections.transport(cluster);
    return startRelay({ ...wired, cluster, transport, kube: kubeClient(transport, stop.signal) }, stop.signal);
  }),
);
const health = await serveHealth('0.0.0.0', Number(process.env['KPACKLESS_HEALTH_PORT'] ?? 8080), () =>
  relays.flatMap((relay) => relay.notReady()),
);
await Promise.all(relays.map(({ stopped }) => stopped));
await health.close();
