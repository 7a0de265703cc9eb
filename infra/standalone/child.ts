/** Runs the standalone bundle as a process of its own: what `npm start` and the benchmarks run is what the image holds. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { ExpectedError } from '../../lib/errors/expected.ts';
import { bundleOne } from '../bundle.ts';
import type { StartReport } from './main.ts';
import { standaloneNode } from './node.ts';
import { environmentOf, type StandaloneSettings } from './settings.ts';

/** A running standalone process. */
export interface StandaloneProcess {
  readonly pid: number;
  readonly healthPort: number;
  /** Where push hooks are served; undefined when they are not. */
  readonly hookPort: number | undefined;
  /** Resolves when it ends, whyever, with its exit code; null when a signal ended it. */
  readonly ended: Promise<number | null>;
  /** Whether every watch is established. */
  isReady(): Promise<boolean>;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
  /** Lets running passes end. */
  stop(): Promise<void>;
}

/** How it is run, beside its settings. */
export interface RunOptions {
  /** The bundle, from `bundleStandalone`. */
  readonly program: string;
  /** More flags of Node: a profile, for example. */
  readonly execArgv?: readonly string[];
}

/** What goes on without it: a start, and a stop that waits for the longest pass. */
const startMilliseconds = 120_000;
const patienceMilliseconds = 45_000;

/** Writes the bundle into a folder of its own below `into`; gives the program's path. */
export const bundleStandalone = async (into: string): Promise<string> =>
  (await bundleOne('standalone', join('infra', 'standalone', 'main.ts'), into)).path;

/**
 * Starts it; resolves when it has listed nothing yet but works. It knows this process's environment, since settings of functions and AWS
 * identities are given there, and ends with this process however that ends.
 * @throws ExpectedError with the sentence the process said
 */
export const startStandaloneProcess = async (
  settings: StandaloneSettings & { readonly logFile: string },
  { program, execArgv = [] }: RunOptions,
): Promise<StandaloneProcess> => {
  const log = openSync(settings.logFile, 'a');
  const child = spawn(process.execPath, [...standaloneNode.flags, ...execArgv, program], {
    // A group of its own: Ctrl-C reaches only us, and the order of stopping is ours.
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
    env: { ...process.env, ...standaloneNode.environment, ...environmentOf(settings) },
  });
  closeSync(log);
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    child.kill(signal);
    const impatient = setTimeout(() => child.kill('SIGKILL'), patienceMilliseconds);
    await ended.finally(() => clearTimeout(impatient));
  };
  const report = await Promise.race([
    once(child, 'message', { signal: AbortSignal.timeout(startMilliseconds) }).then(
      ([said]) => said as StartReport,
      () => ({ failure: `kpackless did not start within ${startMilliseconds / 1000} s` }),
    ),
    ended.then((code) => ({ failure: `kpackless ended at its start (${code ?? 'killed'}): see ${settings.logFile}` })),
  ]);
  if ('failure' in report) {
    await end('SIGTERM');
    throw new ExpectedError(report.failure);
  }
  const { healthPort, hookPort } = report;
  return {
    pid: child.pid ?? 0,
    healthPort,
    hookPort,
    ended,
    isReady: () => answersReady(healthPort),
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
  };
};

const answersReady = async (port: number): Promise<boolean> => {
  const { ok } = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(5000) });
  return ok;
};
