/** kpackless, running beside the measures, and its log of passes. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleStandalone, startStandaloneProcess } from '../../infra/standalone/child.ts';
import { until } from './wait.ts';
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

/** Starts it over the world's API server as it is shipped; resolves once every watch is established. Its state survives a stop. */
export const startSystem = async ({ folder, kubeconfig, registry }: World): Promise<System> => {
  const logFile = join(folder, 'kpackless.log');
  let read = existsSync(logFile) ? readFileSync(logFile, 'utf8').length : 0;
  const profiles = process.env['BENCH_CPU_PROFILE'];
  const standalone = await startStandaloneProcess(
    {
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
    },
    {
      program: await bundleStandalone(join(folder, 'program')),
      execArgv: profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`],
    },
  );
  const ready = async () => ((await standalone.isReady()) ? true : undefined);
  await until('every watch being established', ready, { seconds: startSeconds, everyMs: 50 });
  return {
    pid: standalone.pid,
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
    stop: () => standalone.stop(),
  };
};
