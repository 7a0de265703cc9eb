/**
 * Everything that runs on AWS, in this process: an embedded store and queues in one SQLite file, the very handlers that deploy to
 * Lambda, the sweeper and the relay (DESIGN §3.18). Handlers and rules do not know which adapter serves them.
 */
import type { DatabaseSync } from 'node:sqlite';
import { type Adapters, provideAdapters } from '../../functions/adapters.ts';
import { openDatabase } from '../../lib/embedded/database.ts';
import { Messages } from '../../lib/embedded/messages.ts';
import type { Invoke } from '../../lib/embedded/queue.ts';
import { EmbeddedQueues } from '../../lib/embedded/queues.ts';
import { dropEnded, sqliteTable } from '../../lib/embedded/sqlite-table.ts';
import { PermanentError } from '../../lib/errors/expected.ts';
import { askSupport } from '../../lib/kube/server-version.ts';
import type { KubeTransport } from '../../lib/kube/transport.ts';
import { measured, prometheusMetrics } from '../../lib/metrics/prometheus-metrics.ts';
import { queueRows } from '../../lib/reconcile/kind-table.ts';
import { type Log, sayError } from '../../lib/reconcile/log.ts';
import type { Registration } from '../../lib/state/clusters.ts';
import { awsIdentity } from './aws-identity.ts';
import { serveHooks } from './hooks.ts';

/** What a standalone run is told. */
export interface StandaloneOptions {
  /** The file that keeps records and messages; in memory without. */
  readonly databaseFile?: string | undefined;
  readonly cluster: string;
  readonly registration: Registration;
  /** More KPACKLESS_ settings for the handlers: at least KPACKLESS_STEP_IMAGE. */
  readonly settings: Readonly<Record<string, string>>;
  /** Where log lines go; standard output without. */
  readonly logFile?: string | undefined;
  /** Address that health and hooks are served at; loopback without. */
  readonly listen?: string | undefined;
  /** Serves `/healthz` and `/readyz`. */
  readonly healthPort: number;
  /** Serves push hooks, with KPACKLESS_HOOK_SECRET among the settings; 0 is any free port. Nowhere without. */
  readonly hookPort?: number | undefined;
  /** Converts between v1alpha1 and v1alpha2 there; 0 is any free port. Nowhere without. */
  readonly conversionPort?: number | undefined;
  /** Time between two sweeps; a second without. For tests: AWS sweeps once a minute. */
  readonly sweepMilliseconds?: number;
  /** Puts something between handlers and adapters: reads that lag, a look at what is sent. For tests. */
  readonly between?: (adapters: Adapters) => Adapters;
}

/** A running standalone installation. */
export interface Standalone {
  readonly database: DatabaseSync;
  readonly queues: EmbeddedQueues;
  readonly healthPort: number;
  /** Where push hooks are served; undefined when they are not. */
  readonly hookPort: number | undefined;
  /** Kinds whose watch is not established yet. */
  notReady(): readonly string[];
  /** Lets running passes end, then stops everything. */
  stop(): Promise<void>;
}

const usualSweepMilliseconds = 1000;
const dropMilliseconds = 3_600_000;
/** Passes of one kind at once, twenty of one namespace at most: they wait for the API server and registries most of the time. */
const concurrency = 25;

/** The function of each row of the kind table, as Lambda would load it. Written out, so that a bundle holds them. */
const handlers: Readonly<Record<string, () => Promise<{ readonly handler: Invoke }>>> = {
  image: () => import('../../functions/image/handler.ts'),
  build: () => import('../../functions/build/handler.ts'),
  'source-resolver': () => import('../../functions/source-resolver/handler.ts'),
  builder: () => import('../../functions/builder/handler.ts'),
  'cluster-builder': () => import('../../functions/cluster-builder/handler.ts'),
  buildpack: () => import('../../functions/buildpack/handler.ts'),
  'cluster-buildpack': () => import('../../functions/cluster-buildpack/handler.ts'),
  'cluster-store': () => import('../../functions/cluster-store/handler.ts'),
  'cluster-stack': () => import('../../functions/cluster-stack/handler.ts'),
  'cluster-lifecycle': () => import('../../functions/cluster-lifecycle/handler.ts'),
  'git-poll': () => import('../../functions/git-poll/handler.ts'),
  dependents: () => import('../../functions/dependents/handler.ts'),
};

const loadHandler = async (name: string): Promise<Invoke> => {
  const load = handlers[name];
  if (load === undefined) throw new Error(`queue ${name} has no function: add it to ${import.meta.filename}`);
  return (await load()).handler;
};

/** Starts everything. One a process, since handlers read their settings from the environment as on Lambda. What fails leaves nothing running. */
export const startStandalone = async (options: StandaloneOptions): Promise<Standalone> => {
  const undo: (() => unknown)[] = [];
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
  { between = (adapters) => adapters, listen = '127.0.0.1', ...options }: StandaloneOptions,
  undo: (() => unknown)[],
): Promise<Omit<Standalone, 'stop'>> => {
  const database = openDatabase(options.databaseFile);
  undo.push(() => database.close());
  let log: Log = () => undefined;
  const metrics = prometheusMetrics();
  const queues = new EmbeddedQueues({
    messages: new Messages(database),
    rows: queueRows,
    concurrency,
    clock: () => new Date(),
    warn: (what, why) => log('error', what, { why: sayError(why) }),
  });
  undo.push(() => queues.stop());
  Object.assign(process.env, {
    ...options.settings,
    // Of AWS alone.
    KPACKLESS_TABLE: 'embedded',
    KPACKLESS_QUEUE_URL_PREFIX: 'embedded:',
    KPACKLESS_SENDERS: 'any',
    ...(options.logFile === undefined ? {} : { KPACKLESS_LOG_FILE: options.logFile }),
  });
  // Handlers make their ports when they are loaded, so the adapters come first.
  provideAdapters(
    between({
      table: sqliteTable(database),
      sender: queues,
      deadLetters: queues,
      receipts: () => queues.receipts(),
      aws: awsIdentity,
      metrics,
    }),
  );
  const { ports } = await import('../../functions/ports.ts');
  ({ log } = ports);
  await ports.clusters.register(options.cluster, options.registration);

  // All are loaded before the first runs: one that cannot be loaded must not leave others working.
  const functions = await Promise.all(queueRows.map(async ({ name }) => ({ name, invoke: await loadHandler(name) })));
  for (const { name, invoke } of functions) queues.start(name, invoke);

  const { handler: sweep } = await import('../../functions/sweeper/handler.ts');
  undo.push(
    startTimer(options.sweepMilliseconds ?? usualSweepMilliseconds, async () => {
      await sweep({}, { getRemainingTimeInMillis: () => 30_000 }).catch((error: unknown) =>
        log('error', 'sweeping failed', { why: sayError(error) }),
      );
    }),
  );

  undo.push(startTimer(dropMilliseconds, async () => void dropEnded(database, Math.floor(Date.now() / 1000))));

  const { identityOf } = await import('../../lib/relay/relay.ts');
  const { startRelays } = await import('../../lib/relay/relays.ts');
  const { serveHealth } = await import('../../lib/relay/health.ts');
  const stopRelay = new AbortController();
  const connect = async (cluster: string) => ({
    transport: await ports.connections.transport(cluster),
    kube: await ports.connections.client(cluster, stopRelay.signal),
  });
  // A cluster that was never reached may be none. One that was may be away, and is waited for.
  if (!(await ports.history.isKnown(options.cluster))) await identityOf((await connect(options.cluster)).kube);
  await refuseUnsupported((await connect(options.cluster)).transport, log);
  const relay = startRelays([options.cluster], { connect, rest: ports }, stopRelay.signal);
  undo.push(() => {
    stopRelay.abort();
    return relay.stopped;
  });
  const health = await serveHealth(listen, options.healthPort, {
    notReady: () => relay.notReady(),
    metrics: measured(metrics, () => {
      relay.measure(metrics);
      for (const [queue, count] of queues.counts()) metrics.add('QueueMessages', { queue }, count);
    }),
  });
  undo.push(() => health.close());
  if (options.conversionPort !== undefined) {
    const { keepConversion, serviceNames } = await import('../../lib/conversion/keep.ts');
    const conversion = await keepConversion(
      { host: listen, port: options.conversionPort, names: [...serviceNames, '127.0.0.1', 'localhost'] },
      { kube: () => ports.connections.client(options.cluster, stopRelay.signal), clock: ports.clock, log },
      stopRelay.signal,
    );
    undo.push(() => conversion.close());
  }
  const hooks =
    options.hookPort === undefined
      ? undefined
      : await serveHooks((await import('../../functions/hooks/handler.ts')).handler, options.hookPort, listen);
  undo.push(async () => hooks?.close());
  return { database, queues, healthPort: health.port, hookPort: hooks?.port, notReady: () => relay.notReady() };
};

/** @throws PermanentError when the cluster is of a Kubernetes that is not supported */
const refuseUnsupported = async (transport: KubeTransport, log: Log): Promise<void> => {
  const support = await askSupport(transport);
  if (!support.isSupported) throw new PermanentError('Refused', support.why);
  if (support.note !== undefined) log('warn', 'the version of the API server', { why: support.note });
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
