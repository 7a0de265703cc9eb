/** The relay as the process that is deployed, beside a process that stands for a large cluster and SQS (large-cluster.ts). */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { bundleOne } from '../../infra/bundle.ts';
import { freePort } from '../../infra/local/cluster/ports.ts';
import { relayNode } from '../../infra/relay-image/build.ts';
import { startDynamoDb } from '../emulators/dynamodb.ts';
import { ensureTable } from '../emulators/table.ts';
import type { LargeClusterAnswer, LargeClusterRequest } from './large-cluster.ts';

const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };

/** A running relay. */
export interface RelayProcess {
  /** The most memory it ever had, in MB. */
  mostMb(): number;
  /** Seconds of processor time so far. */
  cpuSeconds(): number;
  /** What `/readyz` says; undefined while nobody answers. */
  ready(): Promise<string | undefined>;
  isAlive(): boolean;
  stop(): Promise<void>;
}

const status = (pid: number, field: string): number =>
  (Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024) /
  1e6;

/** Starts the cluster; `start` starts a relay on it, whose place in the watches outlives it. */
export const relayWorld = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kpackless-relay-'));
  const database = await startDynamoDb();
  const dynamodb = new DynamoDBClient({ region: 'local', credentials, endpoint: database.endpoint });
  await ensureTable(dynamodb, 'kpackless');
  const { path: program } = await bundleOne('relay', join('functions', 'relay', 'main.ts'), folder);
  const cluster: ChildProcess = fork(join(import.meta.dirname, 'large-cluster.ts'));
  const [port] = (await once(cluster, 'message')) as [number];
  const url = `http://127.0.0.1:${port}`;
  const kubeconfig = join(folder, 'kubeconfig');
  const running: ChildProcess[] = [];

  /** Contexts by name, and their servers. */
  const configure = (servers: Readonly<Record<string, string>>): Promise<void> =>
    writeFile(
      kubeconfig,
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        clusters: Object.entries(servers).map(([name, server]) => ({ name, cluster: { server } })),
        users: [{ name: 'u', user: { token: 't' } }],
        contexts: Object.keys(servers).map((name) => ({ name, context: { cluster: name, user: 'u' } })),
        'current-context': Object.keys(servers)[0],
      }),
    );
  await configure({ one: url });

  return {
    url,
    configure,
    ask: async (asked: LargeClusterRequest): Promise<LargeClusterAnswer> => {
      cluster.send(asked);
      const [said] = (await once(cluster, 'message')) as [LargeClusterAnswer];
      return said;
    },
    start: async (clusters = 'one'): Promise<RelayProcess> => {
      const health = await freePort(0);
      const child = spawn(process.execPath, [...relayNode.flags, program], {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: {
          PATH: process.env['PATH'],
          ...relayNode.environment,
          AWS_REGION: 'local',
          AWS_ACCESS_KEY_ID: credentials.accessKeyId,
          AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
          AWS_ENDPOINT_URL_SQS: url,
          AWS_ENDPOINT_URL_DYNAMODB: database.endpoint,
          KPACKLESS_TABLE: 'kpackless',
          KPACKLESS_QUEUE_URL_PREFIX: `${url}/1/kpackless-`,
          KPACKLESS_CLUSTER: clusters,
          KPACKLESS_KUBECONFIG: kubeconfig,
          KPACKLESS_HEALTH_PORT: String(health),
        },
      });
      running.push(child);
      const ended = once(child, 'exit');
      const pid = child.pid ?? 0;
      return {
        mostMb: () => status(pid, 'VmHWM'),
        cpuSeconds: () => {
          const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
          const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
          return (Number(fields[11]) + Number(fields[12])) / 100;
        },
        ready: () =>
          fetch(`http://127.0.0.1:${health}/readyz`).then(
            (answer) => answer.text(),
            () => undefined,
          ),
        isAlive: () => child.exitCode === null && child.signalCode === null,
        stop: async () => {
          child.kill('SIGTERM');
          await ended;
        },
      };
    },
    [Symbol.asyncDispose]: async (): Promise<void> => {
      for (const child of [...running, cluster]) if (child.exitCode === null) child.kill('SIGKILL');
      dynamodb.destroy();
      await database.close();
      await rm(folder, { recursive: true });
    },
  };
};

export type RelayWorld = Awaited<ReturnType<typeof relayWorld>>;

/** Resolves when every watch is established. @throws Error after so many seconds */
export const untilReady = async (relay: RelayProcess, seconds: number): Promise<void> => {
  for (const until = Date.now() + seconds * 1000; (await relay.ready()) !== 'ok\n'; await sleep(50))
    if (Date.now() > until) throw new Error(`the relay is not ready: ${await relay.ready()}`);
};
