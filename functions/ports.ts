/** The ports of every function, made once a process from its environment. */
import { createWriteStream } from 'node:fs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { clusterConnections } from '../lib/clusters/connect.ts';
import { registrations as keptRegistrations } from '../lib/clusters/registrations.ts';
import { sqsSender } from '../lib/queue/send.ts';
import { mayWake } from '../lib/queue/senders.ts';
import { jsonLog } from '../lib/reconcile/log.ts';
import { Circuits } from '../lib/state/circuits.ts';
import { Clusters } from '../lib/state/clusters.ts';
import { Records } from '../lib/state/records.ts';
import { Table } from '../lib/state/table.ts';
import { WatchHistory } from '../lib/state/watch-history.ts';
import { type Settings, settingsFrom } from './settings.ts';

const sinkFor = (file: string | undefined): ((line: string) => void) => {
  if (file === undefined) return (line) => void process.stdout.write(line);
  const stream = createWriteStream(file, { flags: 'a' });
  return (line) => void stream.write(line);
};

/** The clients of the two services that everything rests on. */
export interface Clients {
  readonly sqs: SQSClient;
  readonly dynamodb: DynamoDBClient;
}

let provided: Clients | undefined;

/** Standalone mode embeds both services: its clients, given before the first handler is loaded, replace those for AWS (DESIGN §3.18). */
export const provideClients = (clients: Clients): void => {
  provided = clients;
};

const makePorts = (settings: Settings) => {
  const { sqs, dynamodb } = provided ?? { sqs: new SQSClient({}), dynamodb: new DynamoDBClient({}) };
  const table = new Table(dynamodb, settings.KPACKLESS_TABLE);
  const clusters = new Clusters(table);
  const queueUrl = (queue: string): string => `${settings.KPACKLESS_QUEUE_URL_PREFIX}${queue}.fifo`;
  const clock = () => new Date();
  const registrations = keptRegistrations(clusters, clock);
  const connections = clusterConnections({
    registrations,
    credentials: async () => {
      const { accessKeyId, secretAccessKey, sessionToken } = await sqs.config.credentials();
      return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
    },
    clock,
  });
  return {
    settings,
    sqs,
    queueUrl,
    table,
    clusters,
    connections,
    records: new Records(table),
    circuits: new Circuits(table),
    sender: sqsSender(sqs, queueUrl),
    kube: (cluster: string, signal: AbortSignal) => connections.client(cluster, signal),
    /** Standalone mode's relay alone writes it; on AWS that is another process (functions/relay). */
    history: new WatchHistory(table),
    mayWake: mayWake({
      own: settings.KPACKLESS_SENDERS,
      relayRoleId: async (cluster) => (await registrations.get(cluster))?.relayRoleId,
    }),
    clock,
    random: () => Math.random(),
    log: jsonLog(sinkFor(settings.KPACKLESS_LOG_FILE)),
  };
};

/** Everything a handler may be wired with. */
export type Ports = ReturnType<typeof makePorts>;

let made: Ports | undefined;

/** The process's ports. @throws Error that names every setting that is missing */
export const ports = (): Ports => {
  made ??= makePorts(settingsFrom(process.env));
  return made;
};
