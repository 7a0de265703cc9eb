/** Programs of ours as processes of their own: started, watched, killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { HOSTS_RANGE } from '../../infra/local/cluster/network.ts';
import { defaultCacheDir } from '../../infra/local/cluster/state.ts';
import { bundleStandalone, type StandaloneProcess, startStandaloneProcess } from '../../infra/standalone/child.ts';
import type { Suite } from './suite.ts';

/** A running or ended program. */
export interface Program {
  readonly pid: number;
  /** What it said on its standard output and error so far. */
  said(): { readonly stdout: string; readonly stderr: string };
  /** Its exit code, once it has ended; null when a signal ended it. */
  readonly ended: Promise<number | null>;
  /** SIGKILL, and waits for the end: what a crash or a power cut is to everybody else. */
  kill(): Promise<void>;
  /** SIGTERM, and waits for the end. */
  stop(): Promise<void>;
}

const running = new Set<ChildProcess>();

/** What a program knows of our environment. Starts that follow take what the first one compiled from the cache. */
const passedOn = (): Record<string, string> => {
  const { PATH = '', HOME = '/root', XDG_CACHE_HOME } = process.env;
  return {
    PATH,
    HOME,
    ...(XDG_CACHE_HOME === undefined ? {} : { XDG_CACHE_HOME }),
    NODE_COMPILE_CACHE: join(defaultCacheDir(), 'compiled'),
  };
};

/** Runs a TypeScript file of the project with this very Node. */
export const startProgram = (
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Program => {
  const path = join(import.meta.dirname, '..', '..', file);
  const child = spawn(process.execPath, [path, ...args], {
    env: { ...passedOn(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', (code) => {
      running.delete(child);
      resolve(code);
    });
  });
  const end = async (signal: 'SIGKILL' | 'SIGTERM'): Promise<void> => {
    child.kill(signal);
    await ended;
  };
  return {
    pid: child.pid ?? 0,
    said: () => ({ stdout, stderr }),
    ended,
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
  };
};

/** Ends what a failed test left running. */
export const killRunningPrograms = (): void => {
  for (const child of running) child.kill('SIGKILL');
};

/** Starts kpackless on the suite's cluster with a database of its own, by that name, that outlives it; resolves when it works. */
export const startKpackless = async (suite: Suite, name = 'killed'): Promise<StandaloneProcess> =>
  startStandaloneProcess(
    {
      databaseFile: join(suite.stateDir, `${name}.sqlite`),
      cluster: 'local',
      registration: { access: 'kubeconfig', path: suite.ownKubeconfig },
      settings: {
        KPACKLESS_STEP_IMAGE: suite.stepImage,
        KPACKLESS_GIT_POLL_SECONDS: '2',
        KPACKLESS_EGRESS_ALLOW: HOSTS_RANGE,
      },
      logFile: join(suite.stateDir, 'logs', `${name}.log`),
      healthPort: 0,
    },
    { program: await (program ??= bundleStandalone(join(suite.stateDir, 'program'))) },
  );

let program: Promise<string> | undefined;
