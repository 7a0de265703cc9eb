/** kpackless, running beside the measures, and its log of passes. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StandaloneOptions } from '../../infra/local/standalone/standalone.ts';
import type { World } from './world.ts';

/** One pass, as the log says. */
export interface PassLine {
  /** When it ended: milliseconds since 1970. */
  readonly at: number;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly result: string;
  /** Messages that woke it. */
  readonly messages: number;
  readonly ms: number;
}

/** A running standalone installation. */
export interface System {
  readonly pid: number;
  /** Passes that ended since the last call. */
  passes(): readonly PassLine[];
  stop(): Promise<void>;
}

const startSeconds = 60;

/** Starts it over the world's API server; resolves once every watch is established. Its state survives a stop. */
export const startSystem = async ({ folder, kubeconfig, registry }: World): Promise<System> => {
  const logFile = join(folder, 'kpackless.log');
  const options: StandaloneOptions = {
    databaseFile: join(folder, 'kpackless.sqlite'),
    cluster: 'bench',
    registration: { access: 'kubeconfig', path: kubeconfig },
    // No pod ever starts here, so the step image need not exist.
    settings: {
      KPACKLESS_STEP_IMAGE: `${registry.host}/steps@sha256:${'0'.repeat(64)}`,
      KPACKLESS_EGRESS_ALLOW: '127.0.0.1',
    },
    logFile,
    healthPort: 0,
  };
  let read = existsSync(logFile) ? readFileSync(logFile, 'utf8').length : 0;
  const child = fork(join(import.meta.dirname, 'standalone-process.ts'), [JSON.stringify(options)], {
    execArgv:
      process.env['BENCH_CPU_PROFILE'] === undefined
        ? []
        : ['--cpu-prof', '--cpu-prof-dir=' + process.env['BENCH_CPU_PROFILE']],
  });
  const ended = once(child, 'exit');
  const gone = ended.then(([code]) => {
    throw new Error(`the standalone process ended with code ${String(code)}`);
  });
  gone.catch(() => {}); // whoever waits for it hears of it; later it is the wanted end
  await Promise.race([once(child, 'message', { signal: AbortSignal.timeout(startSeconds * 1000) }), gone]);
  return {
    pid: child.pid ?? 0,
    passes: () => {
      const text = readFileSync(logFile, 'utf8');
      const end = text.lastIndexOf('\n') + 1;
      const fresh = text.slice(read, end);
      read = Math.max(read, end);
      return fresh
        .split('\n')
        .filter((line) => line.includes('"what":"pass finished"'))
        .map((line) => JSON.parse(line) as Omit<PassLine, 'at'> & { readonly at: string })
        .map((line) => ({ ...line, at: Date.parse(line.at) }));
    },
    stop: async () => {
      if (child.connected) child.send('stop');
      await ended;
    },
  };
};
