/**
 * An installation in virtual time, on AWS or in one process: the handlers' own code (batches, passes, dependents, handing on), senders, the routing of
 * a relay, and on AWS mappings that invoke as often at once as serverless.yml lets them. Reconcilers are stand-ins that ask for what the real ones
 * ask for, so that thousands of Images take seconds.
 */
import type { DatabaseSync } from 'node:sqlite';
import { dependentsRunner } from '../../lib/dependents/tell-dependents.ts';
import { openDatabase } from '../../lib/embedded/database.ts';
import { Messages } from '../../lib/embedded/messages.ts';
import { EmbeddedQueues } from '../../lib/embedded/queues.ts';
import { sqliteTable } from '../../lib/embedded/sqlite-table.ts';
import { ExpectedError } from '../../lib/errors/expected.ts';
import { controllerReference, type KubeObject } from '../../lib/kube/object.ts';
import { type Receipts, runBatch } from '../../lib/queue/batch.ts';
import { handOn } from '../../lib/queue/hand-on.ts';
import type { Sender } from '../../lib/queue/send.ts';
import { sqsBacklog } from '../../lib/queue/sqs-backlog.ts';
import { sqsReceipts } from '../../lib/queue/sqs-receipts.ts';
import { sqsSender, sqsStraightSender } from '../../lib/queue/sqs-sender.ts';
import { concurrencies, maxReceivesIn, usualAccount } from '../../lib/reconcile/concurrency.ts';
import { bulkRow, dependentsRow, type KindRow, queueRows, sqsRows } from '../../lib/reconcile/kind-table.ts';
import { settled } from '../../lib/reconcile/outcome.ts';
import type { Reconciler } from '../../lib/reconcile/reconciler.ts';
import { passRunner } from '../../lib/reconcile/run.ts';
import { Circuits } from '../../lib/state/circuits.ts';
import { Records } from '../../lib/state/records.ts';
import { StateError, type Table } from '../../lib/state/table.ts';
import { sweep } from '../../lib/sweeper/sweep.ts';
import { type Invoke, startMapping } from '../emulators/event-source-mapping.ts';
import { VirtualAccount } from './virtual-account.ts';
import { VirtualCluster } from './virtual-cluster.ts';
import { VirtualSqs } from './virtual-sqs.ts';
import { VirtualTime } from './virtual-time.ts';

/** What a function takes before its own code runs, in milliseconds. */
const invokeMilliseconds = 15;
/** As infra/standalone has it. */
const embeddedConcurrency = 25;

/** What differs from run to run. */
export interface VirtualOptions {
  readonly on: 'AWS' | 'one process';
  /** Requests that the API server answers a second; 600 as a real one on two cores. */
  readonly requestsPerSecond?: number;
  /** On AWS without it, everything goes straight, as it did before: what fairness is measured against. */
  readonly isFair?: boolean;
  /** Seconds between two sweeps; without, nothing is ever due. */
  readonly sweepSeconds?: number;
  /** On AWS, concurrent executions of the account that it was deployed for; no limit without. */
  readonly accountConcurrency?: number;
  /** Every pass of a Build of this namespace hangs for so long, in milliseconds. */
  readonly hanging?: { readonly namespace: string; readonly milliseconds: number };
}

/** What a rebase takes at its registry, in milliseconds. */
const rebaseMilliseconds = 300;

type Shown = KubeObject & { readonly status?: { readonly seen?: string } };

const builderKey = { kind: 'ClusterBuilder', namespace: '', name: 'base' } as const;

/** When Images were there, and when what they were to get was; milliseconds since the epoch. */
class Progress {
  readonly appliedAt = new Map<string, number>();
  readonly #doneAt = new Map<string, number>();
  readonly #counts = new Map<string, number>();

  done(namespace: string, build: string, seen: string, now: number): void {
    if (this.#doneAt.has(`${namespace}/${build}`)) return;
    this.#doneAt.set(`${namespace}/${build}`, now);
    this.#counts.set(`${namespace}/${seen}`, this.count(namespace, seen) + 1);
  }

  count(namespace: string, seen: string): number {
    return this.#counts.get(`${namespace}/${seen}`) ?? 0;
  }

  waited(namespace: string, image: string, seen: string): number | undefined {
    const from = this.appliedAt.get(`${namespace}/${image}`);
    const to = this.#doneAt.get(`${namespace}/${image}-${seen}`);
    return from === undefined || to === undefined ? undefined : (to - from) / 1000;
  }
}

/** Makes a Build for what the builder is, and hands it over. */
const imageReconciler = (at: VirtualCluster): Reconciler<Shown> => ({
  kind: 'Image',
  reconcile: async (image, pass) => {
    const { namespace = '', name = '' } = image.metadata ?? {};
    await pass.dependOn([builderKey]);
    const seen = (await pass.kube.get<Shown>(builderKey))?.status?.seen ?? '';
    if (image.status?.seen === seen) {
      // A list of its Builds.
      await at.ask();
      for (const one of ['v1', 'v2']) {
        const build = at.kube.find('Build', `${name}-${one}`, namespace);
        if (build !== undefined) pass.saw(build);
      }
      return settled;
    }
    const build = await pass.kube.create<KubeObject>({
      apiVersion: 'kpack.io/v1alpha2',
      kind: 'Build',
      metadata: {
        namespace,
        name: `${name}-${seen}`,
        ownerReferences: [controllerReference(image)],
        labels: { seen },
      },
    });
    pass.saw(build);
    await pass.handOver(build);
    await pass.writeStatus(image, { seen });
    return settled;
  },
});

/** Makes a pod for the first Build of an Image, and rebases for the second. */
const buildReconciler = (time: VirtualTime, progress: Progress, { hanging }: VirtualOptions): Reconciler<Shown> => ({
  kind: 'Build',
  reconcile: async (build, pass) => {
    const { namespace = '', name = '', labels: { seen = '' } = {} } = build.metadata ?? {};
    if (build.status?.seen !== undefined) return settled;
    // Its ServiceAccount, two Secrets and its builder.
    for (const asked of ['account', 'pull', 'push', 'builder'])
      await pass.kube.get({ kind: 'Builder', namespace, name: asked });
    if (hanging?.namespace === namespace) await time.sleep(hanging.milliseconds);
    if (seen === 'v1')
      await pass.kube.create({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { namespace, name: `${name}-pod`, ownerReferences: [controllerReference(build)] },
      });
    else await time.sleep(rebaseMilliseconds);
    progress.done(namespace, name, seen, time.now);
    await pass.writeStatus(build, { seen });
    return settled;
  },
});

/** Queues, and what starts their functions. */
interface Transport {
  readonly sender: Sender;
  start(invokeOf: (row: KindRow, receipts: Receipts) => Invoke | undefined): void;
  /** Whether the queues answer nobody. */
  setAway(isAway: boolean): void;
  /** Messages that wait or are worked on in queues that have a function here, and those that were given up. */
  held(): number;
  dead(): number;
  /** How many executions there is room for from now on. */
  setExecutions(executions: number): void;
  /** Invocations that found no room in the account, and batches that were let go of for it. */
  throttling(): { readonly throttled: number; readonly lost: number };
  stop(): Promise<void>;
}

const log = (): void => undefined;
const mayWake = (): Promise<boolean> => Promise.resolve(true);
/** A function that fails is a mistake, unless the table is away. */
const unlessAway = (what: string, why: unknown): void => {
  if (!saysAway(why)) throw new Error(what, { cause: why });
};
const saysAway = (why: unknown): boolean =>
  why instanceof ExpectedError || (why instanceof Error && why.cause !== undefined && saysAway(why.cause));

/** Queues of SQS, and mappings that invoke as often at once as serverless.yml lets them. */
export const onAws = (time: VirtualTime, { isFair = true, accountConcurrency }: VirtualOptions): Transport => {
  const sqs = new VirtualSqs(time, maxReceivesIn(accountConcurrency ?? usualAccount));
  const stopping = new AbortController();
  const pause = (milliseconds: number): Promise<void> => time.sleep(milliseconds);
  const url = (queue: string): string => queue;
  const straight = sqsStraightSender(sqs.client, url, pause);
  const started: string[] = [];
  const account = accountConcurrency === undefined ? undefined : new VirtualAccount(time, accountConcurrency);
  const most = concurrencies(accountConcurrency ?? usualAccount);
  const handingOn = { straight, backlog: sqsBacklog(sqs.client, url), mayWake, log, pause };
  return {
    sender: isFair ? sqsSender(sqs.client, url, pause, () => time.now) : straight,
    start: (invokeOf) => {
      for (const row of sqsRows) {
        const receipts = sqsReceipts(sqs.client, { queueUrl: row.name, own: 'any', log });
        const own = invokeOf(row, receipts);
        const bulk: Invoke = (event) => handOn(event, () => 60, { ...handingOn, receipts });
        const invoke = row === bulkRow ? bulk : own;
        if (invoke === undefined) continue;
        started.push(row.name);
        startMapping(
          {
            sqs: sqs.client,
            queueUrl: row.name,
            queueArn: `arn:aws:sqs:local:0:${row.name}`,
            timeoutSeconds: 3600,
            pollers: most.get(row.name) ?? row.concurrency,
            invoke: async (event, context) => {
              const run = async () => {
                await pause(invokeMilliseconds);
                return invoke(event, context);
              };
              return account === undefined ? run() : account.execute(row, run);
            },
            pause,
            warn: account === undefined ? unlessAway : () => undefined,
          },
          stopping.signal,
        );
      }
    },
    throttling: () => ({ throttled: account?.throttled ?? 0, lost: account?.lost ?? 0 }),
    setExecutions: (executions) => {
      if (account === undefined) throw new Error('without accountConcurrency there is no limit');
      account.limit = executions;
    },
    setAway: (isAway) => sqs.setAway(isAway),
    held: () => started.reduce((sum, name) => sum + sqs.held(name), 0),
    dead: () => sqs.dead,
    stop: async () => stopping.abort(),
  };
};

const inOneProcess = (time: VirtualTime, database: DatabaseSync): Transport => {
  const queues = new EmbeddedQueues({
    messages: new Messages(database),
    rows: queueRows,
    concurrency: embeddedConcurrency,
    clock: () => new Date(time.now),
    warn: unlessAway,
  });
  const started: string[] = [];
  const count = (suffix: string): number => {
    const counts = queues.counts();
    return started.reduce((sum, name) => sum + (counts.get(`${name}${suffix}`) ?? 0), 0);
  };
  return {
    sender: queues,
    start: (invokeOf) => {
      for (const row of queueRows) {
        const invoke = invokeOf(row, queues.receipts());
        if (invoke === undefined) continue;
        started.push(row.name);
        queues.start(row.name, invoke);
      }
    },
    setAway: () => {
      throw new Error('the queues of one process are not away while it is there');
    },
    held: () => count(''),
    dead: () => count('-dlq'),
    throttling: () => ({ throttled: 0, lost: 0 }),
    setExecutions: () => {
      throw new Error('one process has no account');
    },
    stop: () => queues.stop(),
  };
};

/** A table that answers nobody while it is away. */
const mayBeAway = (table: Table, isAway: () => boolean): Table =>
  new Proxy(table, {
    get: (all, name: keyof Table) => {
      const call = all[name].bind(all) as (...given: unknown[]) => Promise<unknown>;
      return (...given: unknown[]) => (isAway() ? Promise.reject(new StateError('the table is away')) : call(...given));
    },
  });

/** Starts it with a builder and nothing else. */
export const virtualInstallation = async (options: VirtualOptions) => {
  const { isFair = true, requestsPerSecond = 600 } = options;
  const time = new VirtualTime();
  const database = openDatabase();
  let tableIsAway = false;
  const table = mayBeAway(sqliteTable(database), () => tableIsAway);
  const transport = options.on === 'AWS' ? onAws(time, options) : inOneProcess(time, database);
  const at = new VirtualCluster(time, transport.sender, { requestsPerSecond, isFair });
  const progress = new Progress();
  const common = {
    records: new Records(table),
    circuits: new Circuits(table),
    sender: transport.sender,
    kube: () => Promise.resolve(at.client),
    clock: () => new Date(time.now),
    random: () => 0,
    log,
    pause: (milliseconds: number) => time.sleep(milliseconds),
  };
  const passes = new Map<string, Parameters<typeof runBatch>[2]['runPass']>([
    ['Image', passRunner(imageReconciler(at), common)],
    ['Build', passRunner(buildReconciler(time, progress, options), common)],
    [dependentsRow.kind, dependentsRunner(common)],
  ]);
  transport.start(({ kind }, receipts) => {
    const runPass = passes.get(kind);
    return runPass && ((event) => runBatch(event, () => 3600, { runPass, receipts, mayWake, log }));
  });

  const apply = (namespace: string, names: readonly string[]): void => {
    for (const name of names)
      void at.write(() => {
        progress.appliedAt.set(`${namespace}/${name}`, time.now);
        return at.kube.put<Shown>({ apiVersion: 'kpack.io/v1alpha2', kind: 'Image', metadata: { namespace, name } });
      }, true);
  };
  /** What the builder is from now on, as everybody hears. */
  const setBuilder = (seen: string): Promise<KubeObject> =>
    at.write(() => {
      const metadata = { ...at.kube.find('ClusterBuilder', 'base', '')?.metadata, name: 'base' };
      return at.kube.put<Shown>({
        apiVersion: 'kpack.io/v1alpha2',
        kind: 'ClusterBuilder',
        metadata,
        status: { seen },
      });
    });

  const sweeper = { records: common.records, circuits: new Circuits(table), sender: transport.sender };
  /** As often as it is asked for, for as long as time passes. One that fails is made good by the next. */
  const sweepFrom = async (seconds: number): Promise<void> => {
    try {
      const { failures } = await sweep(sweeper, Math.floor(time.now / 1000), () => true);
      if (failures.length > 0) throw failures[0];
    } catch (error) {
      if (!(error instanceof ExpectedError)) throw error;
    }
    time.at(time.now + seconds * 1000, () => void sweepFrom(seconds));
  };
  if (options.sweepSeconds !== undefined) void sweepFrom(options.sweepSeconds);

  let others = 0;
  void setBuilder('v1');
  await time.pass(1);
  return {
    time,
    apply,
    setBuilder,
    list: at.list.bind(at),
    requests: () => at.requests,
    setQueuesAway: (isAway: boolean) => transport.setAway(isAway),
    setTableAway: (isAway: boolean): void => {
      tableIsAway = isAway;
    },
    held: () => transport.held(),
    dead: () => transport.dead(),
    setExecutions: (executions: number) => transport.setExecutions(executions),
    throttling: () => transport.throttling(),
    /** Images of a namespace that stand on what the builder is. */
    done: (namespace: string, seen = 'v1'): number => progress.count(namespace, seen),
    /** Another namespace applies its one Image: seconds until it has what it was applied for; Infinity when that takes more than ten minutes. */
    oneOfAnother: async (seen = 'v1'): Promise<number> => {
      others += 1;
      const namespace = `other-${others}`;
      apply(namespace, ['single']);
      await time.pass(600, () => progress.waited(namespace, 'single', seen) !== undefined);
      return progress.waited(namespace, 'single', seen) ?? Number.POSITIVE_INFINITY;
    },
    stop: async (): Promise<void> => {
      const stopped = transport.stop();
      // One process waits for what it works on; functions are left alone.
      if (options.on === 'one process') await time.pass(600);
      await stopped;
      database.close();
    },
  };
};
