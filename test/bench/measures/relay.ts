/** Memory of the relay, as the process that is deployed, with many Images in the cluster. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { bundleAll } from '../../../infra/bundle.ts';
import { freePort } from '../../../infra/local/cluster/ports.ts';
import { relayNode } from '../../../infra/relay-image/build.ts';
import { startDynamoDb } from '../../emulators/dynamodb.ts';
import { ensureQueues } from '../../emulators/queues.ts';
import { startSqs } from '../../emulators/sqs/server.ts';
import { ensureTable } from '../../emulators/table.ts';
import { residentMb } from '../machine.ts';
import { imageNamed } from '../objects.ts';
import { type Row, round } from '../row.ts';
import { inLanes, until } from '../wait.ts';
import type { World } from '../world.ts';

const credentials = { accessKeyId: 'bench', secretAccessKey: 'bench' };

/** Resident memory when the relay has listed everything and when a change of each Image has passed through, the larger one. */
const settle = async (pid: number, depth: () => number): Promise<number> => {
  let largest = 0;
  let before = -1;
  await until(
    'the relay having sent everything',
    async () => {
      const now = depth();
      largest = Math.max(largest, residentMb(pid));
      const isSettled = now === before && now > 0;
      before = now;
      return isSettled ? true : undefined;
    },
    { seconds: 120, everyMs: 1000 },
  );
  await sleep(2000);
  return Math.max(largest, residentMb(pid));
};

/** Starts the bundled relay over HTTP to SQS and DynamoDB, twice: with few objects and with many. */
export const relayMemory = async (world: World, count: number): Promise<Row> => {
  const database = await startDynamoDb();
  const dynamodb = new DynamoDBClient({ region: 'local', credentials, endpoint: database.endpoint });
  await ensureTable(dynamodb, 'kpackless');
  const dist = join(world.folder, 'dist');
  const relay = (await bundleAll(dist)).find(({ name }) => name === 'relay');
  if (relay === undefined) throw new Error('there is no bundle of the relay');

  const run = async (during: (depth: () => number) => Promise<void>): Promise<number> => {
    const sqs = await startSqs();
    const client = new SQSClient({ region: 'local', credentials, endpoint: sqs.endpoint });
    const queues = await ensureQueues(client, 'kpackless-');
    const port = await freePort(0);
    // As the image starts it.
    const child = spawn(process.execPath, [...relayNode.flags, relay.path], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        PATH: process.env['PATH'],
        ...relayNode.environment,
        AWS_REGION: 'local',
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        AWS_ENDPOINT_URL_SQS: sqs.endpoint,
        AWS_ENDPOINT_URL_DYNAMODB: database.endpoint,
        KPACKLESS_TABLE: 'kpackless',
        KPACKLESS_QUEUE_URL_PREFIX: queues[0]?.url.replace(/kpackless-.*$/, 'kpackless-') ?? '',
        KPACKLESS_CLUSTER: 'bench',
        KPACKLESS_KUBECONFIG: world.kubeconfig,
        KPACKLESS_HEALTH_PORT: String(port),
      },
    });
    const ended = once(child, 'exit');
    const depth = (): number => sqs.snapshot().reduce((sum, { ready }) => sum + ready, 0);
    try {
      const answers = () =>
        fetch(`http://127.0.0.1:${port}/readyz`).then(
          ({ ok }) => (ok ? (true as const) : undefined),
          () => undefined,
        );
      await until('the relay being ready', answers, { seconds: 60, everyMs: 100 });
      await settle(child.pid ?? 0, depth);
      await during(depth);
      return await settle(child.pid ?? 0, depth);
    } finally {
      child.kill('SIGTERM');
      await ended;
      client.destroy();
      await sqs.close();
    }
  };

  try {
    const few = await run(async () => {});
    const names = Array.from({ length: count }, (_, index) => `watched-${index}`);
    const before = performance.now();
    const many = await run(() => inLanes(names, 32, (name) => world.kube.create(imageNamed(world, name))));
    const again = await run(async () => {});
    const largest = Math.max(many, again);
    return {
      measure: `relay memory with ${count} Images watched`,
      measured: `${round(largest)} MB (${round(few)} MB before; ${round(many)} MB while they were made, ${round(again)} MB when it listed them)`,
      goal: '≤ 110 MB',
      reached: largest <= 110,
      upstream: 'controller 98 MB idle, about 90 MB more per 1,000',
      figures: { before: few, whileMade: many, listed: again, seconds: (performance.now() - before) / 1000 },
    };
  } finally {
    dynamodb.destroy();
    await database.close();
  }
};
