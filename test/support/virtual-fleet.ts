/**
 * Many clusters on AWS in virtual time, some of which go away: sweeper, queues with their mappings, batches, passes and probes are the real code, functions
 * run in several processes with a memory of their own. Reconcilers only ask for what real ones ask for.
 */
import { dependentsRunner } from '../../lib/dependents/tell-dependents.ts';
import { openDatabase } from '../../lib/embedded/database.ts';
import { sqliteTable } from '../../lib/embedded/sqlite-table.ts';
import type { KubeClient } from '../../lib/kube/client.ts';
import { KubeError } from '../../lib/kube/errors.ts';
import { runBatch } from '../../lib/queue/batch.ts';
import type { Message } from '../../lib/queue/message.ts';
import type { Sender } from '../../lib/queue/send.ts';
import { dependentsRow } from '../../lib/reconcile/kind-table.ts';
import { settled } from '../../lib/reconcile/outcome.ts';
import type { Reconcilable, Reconciler } from '../../lib/reconcile/reconciler.ts';
import { passRunner } from '../../lib/reconcile/run.ts';
import { Circuits } from '../../lib/state/circuits.ts';
import { dueShardOf } from '../../lib/state/keys.ts';
import { Records } from '../../lib/state/records.ts';
import type { Table } from '../../lib/state/table.ts';
import { sweep } from '../../lib/sweeper/sweep.ts';
import { onAws } from './virtual-installation.ts';
import { VirtualTime } from './virtual-time.ts';

/** How a cluster is: it answers, refuses connections, or swallows what is sent. */
export type ClusterState = 'answers' | 'refuses' | 'swallows';

/** Processes of each function. */
const processes = 8;
const sweepSeconds = 60;
/** A request to an API server, and how many a pass makes behind the first. */
const answerMilliseconds = 12;
const furtherRequests = 5;
/** How a transport fails (lib/kube): five tries within a second; one that waits for as long as it may. */
const refused = { tries: 5, milliseconds: 1000 };
const swallowedMilliseconds = 10_000;

const log = (): void => undefined;

/** What was done for one cluster. */
export interface Counts {
  requests: number;
  messages: number;
  writes: number;
}

/** A pass that began. */
export interface Began {
  readonly cluster: string;
  /** Milliseconds since it was woken. */
  readonly waited: number;
  readonly at: number;
}

/** So many clusters; their Images are what wakes them. */
export const virtualFleet = (clusters: readonly string[]) => {
  const time = new VirtualTime();
  const database = openDatabase();
  const states = new Map<string, ClusterState>();
  const counts = new Map(clusters.map((name): [string, Counts] => [name, { requests: 0, messages: 0, writes: 0 }]));
  const began: Began[] = [];
  const wokenAt = new Map<string, number>();
  const keyOf = (cluster: string, name: string): string => `${cluster}/${name}`;
  const countsOf = (cluster: string): Counts => counts.get(cluster) ?? { requests: 0, messages: 0, writes: 0 };

  const plain = sqliteTable(database);
  const clusterIn = (pk: string): string =>
    /^(?:object|circuit|edge)#(?:cluster\/)?(?<name>[^#]+)/.exec(pk)?.groups?.['name'] ?? '';
  const writing =
    <Rest extends readonly unknown[], Answer>(write: (pk: string, ...rest: Rest) => Promise<Answer>) =>
    (pk: string, ...rest: Rest): Promise<Answer> => {
      countsOf(clusterIn(pk)).writes += 1;
      return write(pk, ...rest);
    };
  const table: Table = {
    ...plain,
    put: writing((...given: Parameters<Table['put']>) => plain.put(...given)),
    update: writing((...given: Parameters<Table['update']>) => plain.update(...given)),
    delete: writing((...given: Parameters<Table['delete']>) => plain.delete(...given)),
  };
  const records = new Records(table);

  const transport = onAws(time, { on: 'AWS' });
  const sender: Sender = {
    send: (queue, messages) => {
      for (const { cluster, target } of messages) {
        countsOf(cluster).messages += 1;
        const key = keyOf(cluster, target.name);
        if (!wokenAt.has(key)) wokenAt.set(key, time.now);
      }
      return transport.sender.send(queue, messages);
    },
  };

  const ask = async (cluster: string): Promise<void> => {
    const state = states.get(cluster) ?? 'answers';
    countsOf(cluster).requests += state === 'refuses' ? refused.tries : 1;
    if (state === 'answers') return time.sleep(answerMilliseconds);
    await time.sleep(state === 'refuses' ? refused.milliseconds : swallowedMilliseconds);
    throw new KubeError(state === 'refuses' ? 'unreachable' : 'timeout', `no answer of ${cluster}`);
  };
  const kube = async (cluster: string): Promise<KubeClient> =>
    ({
      get: async ({
        kind,
        namespace,
        name,
      }: {
        readonly kind: string;
        readonly namespace: string;
        readonly name: string;
      }) => {
        const key = keyOf(cluster, name);
        const since = wokenAt.get(key);
        await ask(cluster);
        if (since !== undefined) {
          began.push({ cluster, waited: time.now - since, at: time.now });
          wokenAt.delete(key);
        }
        return {
          apiVersion: 'kpack.io/v1alpha2',
          kind,
          metadata: { namespace, name, uid: name, resourceVersion: '1' },
        };
      },
    }) as unknown as KubeClient;
  const reconciler: Reconciler<Reconcilable> = {
    kind: 'Image',
    reconcile: async (_image, pass) => {
      for (let more = 0; more < furtherRequests; more += 1) await ask(pass.cluster);
      return settled;
    },
  };

  let turn = 0;
  const common = {
    records,
    sender,
    kube,
    clock: () => new Date(time.now),
    random: () => 0.5,
    log,
    pause: time.sleep.bind(time),
  };
  const inProcesses = Array.from({ length: processes }, () => {
    const ports = { ...common, circuits: new Circuits(table) };
    return new Map([
      ['Image', passRunner(reconciler, ports)],
      [dependentsRow.kind, dependentsRunner(ports)],
    ]);
  });
  transport.start(({ kind }, receipts) => {
    if (inProcesses[0]?.has(kind) !== true) return undefined;
    return (event) => {
      turn += 1;
      const runPass = inProcesses[turn % processes]?.get(kind);
      if (runPass === undefined) throw new Error(`${kind} has no function`);
      return runBatch(event, () => 60, { runPass, receipts, mayWake: () => Promise.resolve(true), log });
    };
  });

  const sweeper = { records, circuits: new Circuits(table), sender };
  const sweepFrom = async (): Promise<void> => {
    const { failures } = await sweep(sweeper, Math.floor(time.now / 1000), () => true);
    if (failures.length > 0) throw failures[0];
    time.at(time.now + sweepSeconds * 1000, () => void sweepFrom());
  };
  void sweepFrom();

  return {
    time,
    began,
    records,
    countsOf,
    set: (cluster: string, state: ClusterState) => void states.set(cluster, state),
    /** An Image that is there since long, and due so many seconds from now. */
    exists: (cluster: string, name: string, dueIn: number, kind = 'Image') =>
      plain.update(`object#${cluster}#${kind}#team#${name}`, 'record', {
        set: {
          version: 'v',
          epoch: 'e.0',
          resourceVersion: '1',
          attempts: 0,
          dueAt: Math.floor(time.now / 1000) + dueIn,
          dueShard: dueShardOf(`object#${cluster}#${kind}#team#${name}`),
        },
      }),
    /** Somebody edits an Image, so many seconds from now. */
    edit: (cluster: string, name: string, inSeconds: number): void =>
      time.at(time.now + inSeconds * 1000, () => {
        const target = { kind: 'Image', namespace: 'team', name };
        const cause = { ...target, uid: name, resourceVersion: `edit-${time.now}` };
        const message: Message = { v: 1, cluster, epoch: 'e.0', target, cause, reason: 'self' };
        void sender.send('image', [message]);
      }),
    stop: async () => {
      await transport.stop();
      database.close();
    },
  };
};
