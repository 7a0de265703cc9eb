/** For developers: `node infra/local/cluster/main.ts up|down|status|run|reset [--state <dir>]`. `run` stays in the foreground; `up` leaves it running. */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { pushSampleImages } from '../images/sample-set.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { removeLeftovers, resetState } from './leftovers.ts';
import { lockHolder, releaseLock } from './lock.ts';
import { startTimeOf } from './process.ts';
import { defaultStateDir, stateLayout } from './state.ts';

const STOP_DEADLINE_MS = 60_000;

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** Runs the cluster until SIGINT or SIGTERM. */
const runCluster = async (stateDir: string): Promise<void> => {
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  const cluster = await startCluster({ stateDir, report: say });
  say('pushing the sample images');
  const samples = await pushSampleImages(cluster.registry, cluster.binaries);
  writeFileSync(stateLayout(stateDir).info, JSON.stringify({ ...describe(cluster), samples }, undefined, 2));
  say(readFileSync(stateLayout(stateDir).info, 'utf8'));
  await stopped;
  say('stopping');
  await cluster.stop({ keepState: true });
};

const describe = (cluster: Cluster): object => ({
  pid: process.pid,
  kubeconfig: cluster.kubeconfigPath,
  kubectl: cluster.kubectlPath,
  registry: cluster.registry,
  gitHost: cluster.gitHost,
  gitRoot: cluster.gitRoot,
  auditLog: cluster.auditLogPath,
});

/** Starts `run` on its own and follows what it says until the cluster is up. */
const up = async (stateDir: string): Promise<number> => {
  if (lockHolder()?.alive === true) return status(stateDir);
  const { logs, info } = stateLayout(stateDir);
  mkdirSync(logs, { recursive: true });
  rmSync(info, { force: true });
  const logFile = join(logs, 'cluster.log');
  const log = openSync(logFile, 'w');
  const child = spawn(process.execPath, [import.meta.filename, 'run', '--state', stateDir], {
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const runs = (): boolean => child.exitCode === null && child.signalCode === null;
  let shown = 0;
  const showNew = (): void => {
    const text = readFileSync(logFile, 'utf8');
    process.stdout.write(text.slice(shown));
    shown = text.length;
  };
  while (runs() && !existsSync(info)) {
    showNew();
    await sleep(200);
  }
  await sleep(100);
  showNew();
  child.unref();
  return runs() ? 0 : 1;
};

/** Ends the running cluster, or removes what a crashed one left. */
const down = async (stateDir: string): Promise<number> => {
  const holder = lockHolder();
  if (holder?.alive !== true) {
    await removeLeftovers(stateLayout(holder?.stateDir ?? stateDir), holder?.made ?? []);
    releaseLock();
    say('no local cluster runs');
    return 0;
  }
  process.kill(holder.pid, 'SIGTERM');
  const deadline = performance.now() + STOP_DEADLINE_MS;
  while (startTimeOf(holder.pid) === holder.startTime && performance.now() < deadline) await sleep(100);
  const stopped = startTimeOf(holder.pid) !== holder.startTime;
  say(stopped ? 'stopped' : `process ${holder.pid} does not stop: end it and call down again`);
  return stopped ? 0 : 1;
};

const status = (stateDir: string): number => {
  const holder = lockHolder();
  if (holder?.alive !== true) {
    say('no local cluster runs');
    return 3;
  }
  const { info } = stateLayout(holder.stateDir);
  if (holder.stateDir !== stateDir) say(`runs with the state folder ${holder.stateDir}`);
  say(existsSync(info) ? readFileSync(info, 'utf8') : `starting (process ${holder.pid})`);
  return 0;
};

const reset = async (stateDir: string): Promise<number> => {
  const code = await down(stateDir);
  if (code === 0) await resetState(stateDir);
  return code;
};

const { positionals, values } = parseArgs({ allowPositionals: true, options: { state: { type: 'string' } } });
const stateDir = values.state ?? defaultStateDir();
const commands: Readonly<Record<string, () => number | Promise<number>>> = {
  run: async () => {
    await runCluster(stateDir);
    return 0;
  },
  up: () => up(stateDir),
  down: () => down(stateDir),
  status: () => status(stateDir),
  reset: () => reset(stateDir),
};
const command = commands[positionals[0] ?? ''];
if (command === undefined) {
  say('usage: node infra/local/cluster/main.ts up|down|status|run|reset [--state <dir>]');
  process.exitCode = 2;
} else {
  try {
    process.exitCode = await command();
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
