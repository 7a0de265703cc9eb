/**
 * Everything that runs on AWS, in this process: embedded SQS and DynamoDB, event-source mappings, the very handlers that deploy to
 * Lambda, the sweeper and the relay (DESIGN §3.18). Only endpoints differ.
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { type Log, sayError } from '../../../lib/reconcile/log.ts';
import type { Registration } from '../../../lib/state/clusters.ts';
import { startDynamoDb } from '../dynamodb.ts';
import { type Invoke, startMapping } from '../event-source-mapping.ts';
import { type EmbeddedSqs, embedSqs } from '../sqs/embedded.ts';
import { ensureQueues } from './queues.ts';
import { ensureTable } from './table.ts';

/** What a standalone run is told. */
export interface StandaloneOptions {
  /** Where DynamoDB keeps its items; in memory without. */
  readonly databaseDir?: string;
  readonly cluster: string;
  readonly registration: Registration;
  /** More KPACKLESS_ settings for the handlers: at least KPACKLESS_STEP_IMAGE. */
  readonly settings: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** Serves `/healthz` and `/readyz` on loopback. */
  readonly healthPort: number;
  /** Makes reads without ConsistentRead lag on purpose, in tests. */
  readonly staleReadsMilliseconds?: number;
}

/** A running standalone installation. */
export interface Standalone {
  readonly sqs: EmbeddedSqs;
  readonly clients: { readonly sqs: SQSClient; readonly dynamodb: DynamoDBClient };
  readonly healthPort: number;
  /** Kinds whose watch is not established yet. */
  notReady(): readonly string[];
  /** Lets running passes end, then stops everything. */
  stop(): Promise<void>;
}

const tableName = 'kpackless';
const queuePrefix = 'kpackless-';
const sweepMilliseconds = 1000;
/** Pollers a queue: invocations at once. Each runs up to five passes. */
const pollers = 4;

/** A folder of functions/ loaded as Lambda would: by its handler's name. */
const loadHandler = async (name: string): Promise<Invoke> => {
  const loaded = (await import(`../../../functions/${name}/handler.ts`)) as { readonly handler: Invoke };
  return loaded.handler;
};

/** Starts everything. One a process, since handlers read their settings from the environment as on Lambda. */
export const startStandalone = async (options: StandaloneOptions): Promise<Standalone> => {
  const sqs = embedSqs();
  const database = await startDynamoDb({
    ...(options.databaseDir === undefined ? {} : { path: options.databaseDir }),
    ...(options.staleReadsMilliseconds === undefined ? {} : { staleReadsMs: options.staleReadsMilliseconds }),
  });
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const clients = {
    sqs: new SQSClient({ region: 'local', endpoint: sqs.endpoint, credentials, requestHandler: sqs.requestHandler }),
    dynamodb: new DynamoDBClient({ region: 'local', credentials, endpoint: database.endpoint }),
  };
  Object.assign(process.env, {
    ...options.settings,
    KPACKLESS_TABLE: tableName,
    KPACKLESS_QUEUE_URL_PREFIX: sqs.queueUrl(queuePrefix),
    KPACKLESS_LOG_FILE: options.logFile,
  });
  // Handlers make their ports when they are loaded, so the clients come first.
  const { ports, provideClients } = await import('../../../functions/ports.ts');
  provideClients(clients);
  await ensureTable(clients.dynamodb, tableName);
  const queues = await ensureQueues(clients.sqs, queuePrefix);
  const wired = ports();
  const log: Log = wired.log;
  await wired.clusters.register(options.cluster, options.registration);

  const stopMappings = new AbortController();
  const stopRelay = new AbortController();
  const mappings = await Promise.all(
    queues.map(async ({ row, url, arn }) =>
      startMapping(
        {
          sqs: clients.sqs,
          queueUrl: url,
          queueArn: arn,
          timeoutSeconds: row.timeoutSeconds,
          pollers,
          invoke: await loadHandler(row.name),
          warn: (what, why) => log('error', what, { why: sayError(why) }),
        },
        stopMappings.signal,
      ),
    ),
  );

  const sweeper = (await import('../../../functions/sweeper/handler.ts')).handler;
  let sweeping: Promise<unknown> = Promise.resolve();
  let isSweeping = false;
  const timer = setInterval(() => {
    if (isSweeping) return;
    isSweeping = true;
    sweeping = sweeper({}, { getRemainingTimeInMillis: () => 30_000 })
      .catch((error: unknown) => log('error', 'sweeping failed', { why: sayError(error) }))
      .finally(() => {
        isSweeping = false;
      });
  }, sweepMilliseconds);

  const { startRelay } = await import('../../../lib/relay/relay.ts');
  const { serveHealth } = await import('../../../lib/relay/health.ts');
  const relay = await startRelay(
    {
      ...wired,
      cluster: options.cluster,
      transport: await wired.connections.transport(options.cluster),
      kube: await wired.connections.client(options.cluster, stopRelay.signal),
    },
    stopRelay.signal,
  );
  const health = await serveHealth('127.0.0.1', options.healthPort, () => relay.notReady());

  return {
    sqs,
    clients,
    healthPort: health.port,
    notReady: () => relay.notReady(),
    stop: async () => {
      stopRelay.abort();
      await relay.stopped;
      clearInterval(timer);
      await sweeping;
      stopMappings.abort();
      await Promise.all(mappings.map(({ stopped }) => stopped));
      await health.close();
      await sqs.close();
      clients.sqs.destroy();
      clients.dynamodb.destroy();
      await database.close();
    },
  };
};
