/**
 * Everything that runs on AWS, in this process: embedded SQS and DynamoDB, event-source mappings, the very handlers that deploy to
 * Lambda, the sweeper and the relay (DESIGN §3.18). Only endpoints differ.
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';
import { type Log, sayError } from '../../../lib/reconcile/log.ts';
import type { Registration } from '../../../lib/state/clusters.ts';
import { startDynamoDb } from '../dynamodb.ts';
import { type Invoke, startMapping } from '../event-source-mapping.ts';
import { type EmbeddedSqs, embedSqs } from '../sqs/embedded.ts';
import { serveHooks } from './hooks.ts';
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
  /** Serves push hooks on loopback, with KPACKLESS_HOOK_SECRET among the settings; 0 is any free port. Nowhere without. */
  readonly hookPort?: number;
  /** Makes reads without ConsistentRead lag on purpose, in tests. */
  readonly staleReadsMilliseconds?: number;
}

/** A running standalone installation. */
export interface Standalone {
  readonly sqs: EmbeddedSqs;
  readonly clients: { readonly sqs: SQSClient; readonly dynamodb: DynamoDBClient };
  readonly healthPort: number;
  /** Where push hooks are served; undefined when they are not. */
  readonly hookPort: number | undefined;
  /** Kinds whose watch is not established yet. */
  notReady(): readonly string[];
  /** Lets running passes end, then stops everything. */
  stop(): Promise<void>;
}

/** Nobody checks signatures within a process; dynalite wants to see one, and making real ones costs a tenth of all CPU time. */
const unsigned: Exclude<NonNullable<SQSClientConfig['signer']>, (...given: never[]) => unknown> = {
  sign: async (request) => {
    request.headers['x-amz-date'] = '20260101T000000Z';
    request.headers['authorization'] = 'AWS4-HMAC-SHA256 Credential=local/-, SignedHeaders=host, Signature=none';
    return request;
  },
};

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

/** Starts everything. One a process, since handlers read their settings from the environment as on Lambda. What fails leaves nothing running. */
export const startStandalone = async (options: StandaloneOptions): Promise<Standalone> => {
  const undo: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const step of undo.splice(0).toReversed()) await step();
  };
  try {
    return { ...(await bringUp(options, undo)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
};

const bringUp = async (
  options: StandaloneOptions,
  undo: (() => Promise<unknown>)[],
): Promise<Omit<Standalone, 'stop'>> => {
  const sqs = embedSqs();
  undo.push(() => sqs.close());
  const database = await startDynamoDb({
    ...(options.databaseDir === undefined ? {} : { path: options.databaseDir }),
    ...(options.staleReadsMilliseconds === undefined ? {} : { staleReadsMs: options.staleReadsMilliseconds }),
  });
  undo.push(() => database.close());
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const local = { region: 'local', credentials, signer: unsigned };
  const clients = {
    sqs: new SQSClient({ ...local, endpoint: sqs.endpoint, requestHandler: sqs.requestHandler }),
    dynamodb: new DynamoDBClient({ ...local, endpoint: database.endpoint, requestHandler: database.requestHandler }),
  };
  undo.push(async () => {
    clients.sqs.destroy();
    clients.dynamodb.destroy();
  });
  Object.assign(process.env, {
    ...options.settings,
    KPACKLESS_TABLE: tableName,
    KPACKLESS_QUEUE_URL_PREFIX: sqs.queueUrl(queuePrefix),
    KPACKLESS_SENDERS: 'any',
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

  // All are loaded before the first runs: one that cannot be loaded must not leave others polling.
  const functions = await Promise.all(
    queues.map(async (queue) => ({ ...queue, invoke: await loadHandler(queue.row.name) })),
  );
  const stopMappings = new AbortController();
  const mappings = functions.map(({ row, url, arn, invoke }) =>
    startMapping(
      {
        sqs: clients.sqs,
        queueUrl: url,
        queueArn: arn,
        timeoutSeconds: row.timeoutSeconds,
        pollers,
        invoke,
        warn: (what, why) => log('error', what, { why: sayError(why) }),
      },
      stopMappings.signal,
    ),
  );
  undo.push(() => {
    stopMappings.abort();
    return Promise.all(mappings.map(({ stopped }) => stopped));
  });

  const { handler: sweep } = await import('../../../functions/sweeper/handler.ts');
  undo.push(
    startTimer(sweepMilliseconds, async () => {
      await sweep({}, { getRemainingTimeInMillis: () => 30_000 }).catch((error: unknown) =>
        log('error', 'sweeping failed', { why: sayError(error) }),
      );
    }),
  );

  const { startRelay } = await import('../../../lib/relay/relay.ts');
  const { serveHealth } = await import('../../../lib/relay/health.ts');
  const stopRelay = new AbortController();
  const relay = await startRelay(
    {
      ...wired,
      cluster: options.cluster,
      transport: await wired.connections.transport(options.cluster),
      kube: await wired.connections.client(options.cluster, stopRelay.signal),
    },
    stopRelay.signal,
    // The embedded queues live in memory: what an earlier process had accepted and not done is in the lists only.
    { queuesAreEmpty: true },
  );
  undo.push(() => {
    stopRelay.abort();
    return relay.stopped;
  });
  const health = await serveHealth('127.0.0.1', options.healthPort, () => relay.notReady());
  undo.push(() => health.close());
  const hooks =
    options.hookPort === undefined
      ? undefined
      : await serveHooks((await import('../../../functions/hooks/handler.ts')).handler, options.hookPort);
  undo.push(async () => hooks?.close());
  return { sqs, clients, healthPort: health.port, hookPort: hooks?.port, notReady: () => relay.notReady() };
};

/** Runs `each` every so often, never twice at once; gives what ends it, after a run that is under way. */
const startTimer = (milliseconds: number, each: () => Promise<void>): (() => Promise<void>) => {
  let running: Promise<void> | undefined;
  const timer = setInterval(() => {
    running ??= each().finally(() => {
      running = undefined;
    });
  }, milliseconds);
  return async () => {
    clearInterval(timer);
    await running;
  };
};
