/**
 * The one long-running process: watch → queue, nothing else, for one cluster or, outside of them, for several. It enters it with the pod's own ServiceAccount, which may list
 * and watch, and AWS with a role that may send to the queues and write its own place in the table (infra/relay-role.yml; DESIGN §3.26).
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { keepConversion, serviceNames } from '../../lib/conversion/keep.ts';
import type { AccessSource } from '../../lib/kube/access.ts';
import { type KubeClient, kubeClient } from '../../lib/kube/client.ts';
import { countedTransport } from '../../lib/kube/counted-transport.ts';
import { followedTransport } from '../../lib/kube/followed-transport.ts';
import { inClusterAccess } from '../../lib/kube/in-cluster-access.ts';
import { kubeconfigAccess } from '../../lib/kube/kubeconfig-access.ts';
import { measured, prometheusMetrics } from '../../lib/metrics/prometheus-metrics.ts';
import { sqsSender } from '../../lib/queue/sqs-sender.ts';
import { jsonLog } from '../../lib/reconcile/log.ts';
import { serveHealth } from '../../lib/relay/health.ts';
import { startRelays } from '../../lib/relay/relays.ts';
import { DynamoDbTable } from '../../lib/state/dynamodb-table.ts';
import { WatchHistory } from '../../lib/state/watch-history.ts';
import { relaySettingsFrom } from './settings.ts';

const settings = relaySettingsFrom(process.env);
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

const metrics = prometheusMetrics();
const clusters = settings.KPACKLESS_CLUSTER;
const kubeconfig = settings.KPACKLESS_KUBECONFIG;
/** Of several clusters each is a context of its name. */
const accessOf = (cluster: string): AccessSource =>
  kubeconfig === undefined
    ? inClusterAccess()
    : kubeconfigAccess(kubeconfig, clusters.length === 1 ? undefined : cluster);
const log = jsonLog((line) => void process.stdout.write(line));
const connect = async (cluster: string) => {
  const transport = countedTransport(followedTransport({ source: accessOf(cluster) }), metrics);
  return { transport, kube: kubeClient(transport, stop.signal) };
};
const relay = startRelays(
  clusters,
  {
    connect,
    rest: {
      history: new WatchHistory(new DynamoDbTable(new DynamoDBClient({}), settings.KPACKLESS_TABLE)),
      sender: sqsSender(new SQSClient({}), (queue) => `${settings.KPACKLESS_QUEUE_URL_PREFIX}${queue}.fifo`),
      listsEverything: settings.KPACKLESS_LIST_EVERYTHING,
      clock: () => new Date(),
      random: () => Math.random(),
      metrics,
      log,
    },
  },
  stop.signal,
);
const health = await serveHealth('0.0.0.0', settings.KPACKLESS_HEALTH_PORT, {
  notReady: () => relay.notReady(),
  metrics: measured(metrics, () => relay.measure(metrics)),
});
const [own = ''] = clusters;
let known: KubeClient | undefined;
/** It follows its credentials, so one does. */
const ownKube = async (): Promise<KubeClient> => {
  known ??= (await connect(own)).kube;
  return known;
};
const conversion =
  settings.KPACKLESS_CONVERSION_PORT === undefined
    ? undefined
    : await keepConversion(
        { host: '0.0.0.0', port: settings.KPACKLESS_CONVERSION_PORT, names: serviceNames },
        { kube: ownKube, clock: () => new Date(), log },
        stop.signal,
      );
await relay.stopped;
await conversion?.close();
await health.close();
