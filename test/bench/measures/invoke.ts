/**
 * What Lambda bills for a warm batch: processor time of each bundle's handler for ten passes that find nothing to do, turned into time under
 * the share of a processor that its memory buys. What is waited for meanwhile (the store, the API server) is not in it.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { type Bundle, bundleAll } from '../../../infra/bundle.ts';
import type { KubeObject } from '../../../lib/kube/object.ts';
import { type KindRow, kindTable } from '../../../lib/reconcile/kind-table.ts';
import { Clusters } from '../../../lib/state/clusters.ts';
import { DynamoDbTable } from '../../../lib/state/dynamodb-table.ts';
import { startDynamoDb } from '../../emulators/dynamodb.ts';
import { ensureQueues } from '../../emulators/queues.ts';
import { startSqs } from '../../emulators/sqs/server.ts';
import { ensureTable } from '../../emulators/table.ts';
import { namespace } from '../../support/image-world.ts';
import { median, type Row, round } from '../row.ts';
import { startSettledCluster } from '../settled-cluster.ts';

/** Memory, in MB, that buys one whole processor (AWS Lambda, "Configuring memory"). */
const megabytesPerProcessor = 1769;
const passes = 10;
/** A warm function has served some batches: first ones compile and connect. */
const warmUps = 10;
const batches = 21;

const keys = { accessKeyId: 'AKIDBENCH', secretAccessKey: 'bench' };
const region = 'eu-central-1';
const goalMilliseconds = 60;

/** Everything a bundle talks to: a cluster of these Images, and `more`. */
export const startServices = async (images: readonly string[], more: readonly KubeObject[] = []) => {
  const [sqs, database, cluster] = [await startSqs(), await startDynamoDb(), await startSettledCluster(images, more)];
  const dynamoDb = new DynamoDBClient({ region, credentials: keys, endpoint: database.endpoint });
  await ensureQueues(new SQSClient({ region, credentials: keys, endpoint: sqs.endpoint }), 'kpackless-');
  await ensureTable(dynamoDb, 'kpackless');
  const table = new DynamoDbTable(dynamoDb, 'kpackless');
  await new Clusters(table).register('bench', {
    access: 'eks',
    server: cluster.server,
    caData: cluster.caData,
    eksName: 'bench',
    region,
  });
  return {
    table,
    environment: {
      PATH: process.env['PATH'] ?? '',
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
      AWS_ENDPOINT_URL_SQS: sqs.endpoint,
      AWS_ENDPOINT_URL_DYNAMODB: database.endpoint,
      KPACKLESS_TABLE: 'kpackless',
      KPACKLESS_QUEUE_URL_PREFIX: sqs.queueUrl('kpackless-'),
      KPACKLESS_SENDERS: 'AROABENCH00000000000',
      KPACKLESS_STEP_IMAGE: `registry.example/steps@sha256:${'0'.repeat(64)}`,
    },
    writes: () => cluster.writes(),
    stop: async () => {
      await cluster.close();
      await sqs.close();
      await database.close();
    },
  };
};

/** A batch that wakes each of `names` because somebody else changed: none may be skipped. */
export const batchOf = (kind: string, names: readonly string[], occasion: string) => ({
  Records: names.map((name, index) => {
    const target = { kind, namespace: kind.startsWith('Cluster') ? '' : namespace, name };
    const cause = { ...target, uid: '', resourceVersion: '' };
    const body = { v: 1, cluster: 'bench', epoch: 'e.0', target, cause, reason: 'hook', occasion };
    return {
      messageId: String(index),
      receiptHandle: String(index),
      body: JSON.stringify(body),
      attributes: { ApproximateReceiveCount: '1', SenderId: 'AROABENCH00000000000:bench' },
      messageAttributes: {},
    };
  }),
});

/** What an event took, in milliseconds: of the processor, and of the clock. */
interface Took {
  readonly processor: number;
  readonly clock: number;
}

const told = async (child: ChildProcess, event: object): Promise<Took> => {
  const answer = once(child, 'message', { signal: AbortSignal.timeout(60_000) });
  const begun = performance.now();
  child.send(event);
  return { processor: Number((await answer)[0]), clock: performance.now() - begun };
};

/** The middle event of a warm function. */
export const perEvent = async (
  { path }: Bundle,
  environment: Readonly<Record<string, string>>,
  eventOf: (at: number) => object,
): Promise<Took> => {
  const child = fork(join(import.meta.dirname, '..', 'invoke-process.ts'), [path], {
    env: environment,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: [],
  });
  try {
    await once(child, 'message', { signal: AbortSignal.timeout(30_000) });
    const times: Took[] = [];
    for (let at = 0; at < warmUps + batches; at += 1) times.push(await told(child, eventOf(at)));
    const counted = times.slice(warmUps);
    const middleOf = (of: keyof Took): number => median(counted.map((took) => took[of]));
    return { processor: middleOf('processor'), clock: middleOf('clock') };
  } finally {
    child.disconnect();
  }
};

/** What the batch is billed with, in milliseconds. */
export const billed = (milliseconds: number, { memoryMb }: KindRow): number =>
  milliseconds * Math.max(1, megabytesPerProcessor / memoryMb);

/** Image with objects that are settled; every kind with objects that are being deleted, the shortest pass there is. */
export const invocations = async (): Promise<readonly Row[]> => {
  const folder = await mkdtemp(join(tmpdir(), 'kpackless-bench-invoke-'));
  const settled = Array.from({ length: passes }, (_, index) => `settled-${index}`);
  const leaving = Array.from({ length: passes }, (_, index) => `leaving-${index}`);
  const services = await startServices(settled);
  try {
    const bundles = await bundleAll(folder);
    const measured = async (row: KindRow, names: readonly string[]): Promise<number> => {
      const bundle = bundles.find(({ name }) => name === row.name);
      if (bundle === undefined) throw new Error(`there is no bundle ${row.name}`);
      const event = (batch: number): object => batchOf(row.kind, names, String(batch));
      return billed((await perEvent(bundle, services.environment, event)).processor, row);
    };
    // Polls of git are no objects of the cluster.
    const rows = kindTable.filter(({ watched }) => watched);
    const image = rows.find(({ kind }) => kind === 'Image');
    if (image === undefined) throw new Error('there is no kind Image');
    const ofImages = await measured(image, settled);
    const others: (readonly [string, number])[] = [];
    for (const row of rows) others.push([row.name, await measured(row, leaving)]);
    const slowest = others.toSorted(([, a], [, b]) => b - a)[0];
    return [
      {
        measure: `billed for a warm batch of ${passes} settled Images, ${image.memoryMb} MB`,
        measured: `${round(ofImages)} ms of processor time (${services.writes()} writes)`,
        goal: `≤ ${goalMilliseconds} ms`,
        reached: ofImages <= goalMilliseconds && services.writes() === 0,
        figures: { milliseconds: ofImages },
      },
      {
        measure: '  and of ten objects that are being deleted',
        measured: `${slowest?.[0] ?? ''} ${round(slowest?.[1] ?? 0)} ms, the middle function ${round(median(others.map(([, ms]) => ms)))} ms`,
        figures: Object.fromEntries(others),
      },
    ];
  } finally {
    await services.stop();
    await rm(folder, { recursive: true, force: true });
  }
};
