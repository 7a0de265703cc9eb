/** The ports of every function, made once a process from its environment. */
import { openSync, writeSync } from 'node:fs';
import { clusterConnections } from '../lib/clusters/connect.ts';
import { registrations as keptRegistrations } from '../lib/clusters/registrations.ts';
import { mayWake } from '../lib/queue/senders.ts';
import { atLeast, jsonLog } from '../lib/reconcile/log.ts';
import { Received } from '../lib/reconcile/received.ts';
import { Circuits } from '../lib/state/circuits.ts';
import { Clusters } from '../lib/state/clusters.ts';
import { Records } from '../lib/state/records.ts';
import { WatchHistory } from '../lib/state/watch-history.ts';
import { adaptersFor } from './adapters.ts';
import { namingInvocation } from './invocation.ts';
import { type Settings, settingsFrom } from './settings.ts';

const sinkFor = (file: string | undefined): ((line: string) => void) => {
  if (file === undefined) return (line) => void process.stdout.write(line);
  const descriptor = openSync(file, 'a');
  let waiting = '';
  const flush = (): void => {
    const lines = waiting;
    waiting = '';
    try {
      // At once: the system keeps it, and a trip through the pool of threads costs more than that.
      writeSync(descriptor, lines);
    } catch {
      // A full disk takes lines, not work; there is nowhere to say so.
    }
  };
  return (line) => {
    // One write for all lines of a turn of the event loop: a busy second has hundreds.
    if (waiting === '') setImmediate(flush);
    waiting += line;
  };
};

const makePorts = async (settings: Settings) => {
  const lines = namingInvocation(jsonLog(sinkFor(settings.KPACKLESS_LOG_FILE)));
  const log = atLeast(settings.KPACKLESS_LOG_LEVEL, lines);
  const { table, sender, deadLetters, receipts, aws, metrics } = await adaptersFor(settings, log);
  const clusters = new Clusters(table);
  const clock = () => new Date();
  const registrations = keptRegistrations(clusters, clock);
  const connections = clusterConnections({
    registrations,
    credentials: aws.credentials,
    clock,
    metrics,
    waited: (cluster, { perSecond, refused, repeated, waitedMilliseconds }) => {
      log('warn', 'calls of a cluster waited', { cluster, perSecond, refused, repeated, waitedMilliseconds });
      metrics.add('ApiRefusals', { cluster }, refused);
      metrics.add('ApiRepeats', { cluster }, repeated);
      metrics.add('ApiWaitMilliseconds', { cluster }, waitedMilliseconds);
    },
  });
  return {
    settings,
    aws,
    receipts,
    deadLetters,
    table,
    clusters,
    connections,
    records: new Records(table),
    circuits: new Circuits(table, { opened: () => metrics.add('CircuitsOpened', { of: 'cluster' }) }),
    sender,
    received: new Received(clock),
    kube: connections.client,
    /** Standalone mode's relay alone writes it; on AWS that is another process (functions/relay). */
    history: new WatchHistory(table),
    mayWake: mayWake({
      own: settings.KPACKLESS_SENDERS,
      relayRoleId: async (cluster) => (await registrations.get(cluster))?.relayRoleId,
    }),
    clock,
    random: () => Math.random(),
    log,
    metrics,
  };
};

/** Everything a handler may be wired with. */
export type Ports = Awaited<ReturnType<typeof makePorts>>;

/** The process's ports, made when the first handler is loaded. @throws Error that names every setting that is missing */
export const ports: Ports = await makePorts(settingsFrom(process.env));
