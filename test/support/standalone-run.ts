/**
 * A standalone run in a process of its own, as handlers are loaded once a process: `unreachable` lets its cluster refuse, `idle` lets
 * it rest for a second beside an empty cluster and stops it. Prints one JSON line, and ends only if nothing was left running.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startStandalone } from '../../infra/local/standalone/standalone.ts';
import { watchServer } from './watch-server.ts';

const mode = process.argv[2];
const restSeconds = Number(process.argv[3] ?? 1);
const folder = mkdtempSync(join(tmpdir(), 'kpackless-standalone-'));
const kubeconfig = join(folder, 'kubeconfig');

const write = (server: string): void =>
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster: { server } }],
      users: [{ name: 'u', user: { token: 't' } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    }),
  );

const options = {
  cluster: 'test',
  registration: { access: 'kubeconfig', path: kubeconfig },
  settings: {
    KPACKLESS_STEP_IMAGE: `registry.example/steps@sha256:${'0'.repeat(64)}`,
    KPACKLESS_HOOK_SECRET: 'hook-secret',
  },
  logFile: join(folder, 'log'),
  healthPort: 0,
  hookPort: 0,
} as const;

const say = (what: object): void => void process.stdout.write(`${JSON.stringify(what)}\n`);

if (mode === 'unreachable') {
  write('http://127.0.0.1:1');
  try {
    await startStandalone(options);
    say({ started: true });
  } catch (error) {
    say({ refused: error instanceof Error ? error.message : String(error) });
  }
} else {
  const server = await watchServer();
  server.state.names = [];
  write(server.url);
  const standalone = await startStandalone(options);
  while (standalone.notReady().length > 0) await sleep(20);
  const hook = await fetch(`http://127.0.0.1:${standalone.hookPort}/`, {
    method: 'POST',
    headers: { authorization: 'Bearer hook-secret' },
    body: '{"url":"https://git.example/shop"}',
  });
  const before = process.cpuUsage();
  await sleep(restSeconds * 1000);
  const { user, system } = process.cpuUsage(before);
  const stopping = performance.now();
  await standalone.stop();
  say({
    hook: [hook.status, await hook.json()],
    stopMilliseconds: Math.round(performance.now() - stopping),
    idleCpuPercent: Math.round((user + system) / 100 / restSeconds) / 100,
    megabytes: Math.round(process.memoryUsage.rss() / 1e6),
  });
  await server[Symbol.asyncDispose]();
}
rmSync(folder, { recursive: true });
