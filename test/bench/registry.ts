/** A real registry on loopback that writes down every request. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { binaryPath } from '../../infra/local/cluster/binaries.ts';
import { freePort } from '../../infra/local/cluster/ports.ts';
import { startProcess } from '../../infra/local/cluster/process.ts';
import { PROGRAMS } from '../../infra/local/cluster/programs.ts';
import { silent } from '../../infra/local/cluster/report.ts';
import { defaultCacheDir, type StateLayout } from '../../infra/local/cluster/state.ts';
import { until } from './wait.ts';

/** A request the registry answered. */
export interface RegistryRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly status: number;
}

/** A running registry. */
export interface BenchRegistry {
  /** `127.0.0.1:port` */
  readonly host: string;
  /** Requests answered since the last call. */
  requests(): readonly RegistryRequest[];
  stop(): Promise<void>;
}

/** Starts one under `name`; its content goes with the layout's folder. */
export const startRegistry = async (layout: StateLayout, name: string): Promise<BenchRegistry> => {
  const program = PROGRAMS.find((candidate) => candidate.name === 'registry');
  if (program === undefined) throw new Error('the registry is not among the programs of the local cluster');
  const host = `127.0.0.1:${await freePort(0)}`;
  const folder = join(layout.registry, name);
  mkdirSync(folder, { recursive: true });
  const config = join(layout.conf, `${name}.json`);
  writeFileSync(
    config,
    JSON.stringify({
      version: 0.1,
      log: { level: 'error', accesslog: { disabled: false } },
      storage: { filesystem: { rootdirectory: folder, maxthreads: 100 }, delete: { enabled: true } },
      http: { addr: host, secret: 'bench' },
    }),
  );
  const running = startProcess(
    layout,
    {
      name,
      command: binaryPath(defaultCacheDir(), program),
      args: ['serve', config],
      env: { OTEL_TRACES_EXPORTER: 'none' },
    },
    silent,
  );
  const answers = async (): Promise<true | undefined> => {
    running.assertRunning();
    return fetch(`http://${host}/v2/`, { signal: AbortSignal.timeout(1000) }).then(
      () => true as const,
      () => undefined,
    );
  };
  await until(`registry ${name}`, answers, { seconds: 20, everyMs: 50 });
  let read = 0;
  return {
    host,
    requests: () => {
      const text = readFileSync(running.logFile, 'utf8');
      const fresh = text.slice(read);
      read = text.length;
      return [...fresh.matchAll(/"(GET|HEAD|POST|PUT|PATCH|DELETE) (\S+) HTTP\/[\d.]+" (\d{3})/g)].map(
        ([, method = '', path = '', status]) => ({ method, path, status: Number(status) }),
      );
    },
    stop: () => running.stop(),
  };
};

/** Whether bytes of a blob were sent to it: an upload, but not a mount. */
export const isUpload = ({ method, path, status }: RegistryRequest): boolean =>
  (method === 'PUT' || method === 'PATCH') && path.includes('/blobs/uploads/') && status < 300;
