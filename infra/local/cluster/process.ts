import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { ExpectedError } from '../../../lib/errors/expected.ts';
import type { Report } from './report.ts';
import type { StateLayout } from './state.ts';

/** A program to keep running beside us. */
export interface ProcessSpec {
  /** Names its log and its pid file. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Network namespace to run in; the machine's own when absent. */
  readonly netns?: string;
  /** Milliseconds between SIGTERM and SIGKILL when it is stopped. */
  readonly patience?: number;
}

/** A program that runs until it is stopped. */
export interface RunningProcess {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** @throws ExpectedError with its last words when it has ended although nobody stopped it. */
  assertRunning(): void;
  stop(): Promise<void>;
}

/**
 * Starts programs in their own process groups (so that Ctrl-C reaches only us and the order of stopping is ours), output to a log
 * each. The pid file is what a start after a crash finds leftovers by.
 */
export const startProcess = (layout: StateLayout, spec: ProcessSpec, report: Report): RunningProcess => {
  const logFile = join(layout.logs, `${spec.name}.log`);
  const pidFile = join(layout.pids, `${spec.name}.json`);
  const child = spawnLogged(spec, logFile);
  child.once('error', () => {}); // a program that is missing has no pid, which says enough
  if (child.pid === undefined) throw new ExpectedError(`${spec.command} could not be started: is it installed?`);
  writeFileSync(pidFile, JSON.stringify({ pid: child.pid, startTime: startTimeOf(child.pid) }));

  let ended: string | undefined;
  let stopping = false;
  const exit = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      ended = `${spec.name} ended (${signal ?? `code ${code ?? '?'}`}): ${lastWords(logFile)}`;
      if (!stopping) report(ended);
      resolve();
    });
  });

  return {
    name: spec.name,
    pid: child.pid,
    logFile,
    assertRunning: () => {
      if (ended !== undefined && !stopping) throw new ExpectedError(ended);
    },
    stop: async () => {
      stopping = true;
      if (ended === undefined) {
        child.kill('SIGTERM');
        await Promise.race([exit, sleep(spec.patience ?? 5_000, undefined, { ref: false })]);
        child.kill('SIGKILL');
        await exit;
      }
      rmSync(pidFile, { force: true });
    },
  };
};

const spawnLogged = (spec: ProcessSpec, logFile: string): ChildProcess => {
  const [command, args] =
    spec.netns === undefined
      ? [spec.command, spec.args]
      : ['ip', ['netns', 'exec', spec.netns, spec.command, ...spec.args]];
  if (existsSync(logFile)) renameSync(logFile, `${logFile}.previous`); // one start back is enough, and logs do not grow for ever
  const log = openSync(logFile, 'a', 0o644);
  try {
    return spawn(command, args, { detached: true, stdio: ['ignore', log, log], env: { ...process.env, ...spec.env } });
  } finally {
    closeSync(log);
  }
};

/** When a process started, in clock ticks since boot: together with its pid it cannot be mistaken for another. Undefined when it is gone. */
export const startTimeOf = (pid: number): string | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // the name before it may hold spaces and brackets
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
};

const lastWords = (logFile: string): string => {
  try {
    const tail = readFileSync(logFile, 'utf8').slice(-2_000);
    return `${tail.trim().split('\n').slice(-2).join(' | ')} (more in ${logFile})`;
  } catch {
    return `see ${logFile}`;
  }
};
