/** The standalone program as it is shipped, beside an API server that is none, for tests of the process itself. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bundleStandalone, type StandaloneProcess, startStandaloneProcess } from '../../infra/standalone/child.ts';

export const hookSecret = 'hook-secret';

/** A folder with the program and what it needs to start. */
export interface StandaloneWorld {
  readonly logFile: string;
  /** Starts it for the cluster at `server`. @throws ExpectedError with what it said */
  start(server: string): Promise<StandaloneProcess>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Bundles the program. */
export const standaloneWorld = async (): Promise<StandaloneWorld> => {
  const folder = await mkdtemp(join(tmpdir(), 'kpackless-standalone-'));
  const kubeconfig = join(folder, 'kubeconfig');
  const logFile = join(folder, 'log');
  const program = await bundleStandalone(folder);
  return {
    logFile,
    start: async (server) => {
      const config = {
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [{ name: 'c', cluster: { server } }],
        users: [{ name: 'u', user: { token: 't' } }],
        contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
        'current-context': 'x',
      };
      await writeFile(kubeconfig, JSON.stringify(config));
      return startStandaloneProcess(
        {
          databaseFile: join(folder, 'kpackless.sqlite'),
          cluster: 'test',
          registration: { access: 'kubeconfig', path: kubeconfig },
          settings: {
            KPACKLESS_STEP_IMAGE: `registry.example/steps@sha256:${'0'.repeat(64)}`,
            KPACKLESS_HOOK_SECRET: hookSecret,
          },
          logFile,
          healthPort: 0,
          hookPort: 0,
        },
        { program },
      );
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
};

/** Resolves when every watch is established. */
export const untilReady = async (standalone: StandaloneProcess): Promise<void> => {
  while (!(await standalone.isReady())) await sleep(20);
};
