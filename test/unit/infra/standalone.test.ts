/** The standalone program is one process that starts, works, ends when it is told to or is alone, and stays small (DESIGN §3.18). */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { StandaloneProcess } from '../../../infra/standalone/child.ts';
import { hookSecret, type StandaloneWorld, standaloneWorld, untilReady } from '../../support/standalone-run.ts';
import { watchServer } from '../../support/watch-server.ts';

let world: StandaloneWorld;
let server: Awaited<ReturnType<typeof watchServer>>;
let running: StandaloneProcess | undefined;

beforeAll(async () => {
  world = await standaloneWorld();
  server = await watchServer();
  server.state.names = [];
}, 30_000);
afterEach(async () => running?.stop());
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

const start = async (): Promise<StandaloneProcess> => {
  running = await world.start(server.url);
  await untilReady(running);
  return running;
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** Its mapped files and its memory, in MB. */
const residentMb = (pid: number): number =>
  (Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024) / 1e6;

describe('the standalone program', { timeout: 40_000 }, () => {
  it('says in one sentence that its cluster cannot be reached, to its parent and in its log', async () => {
    await expect(world.start('http://127.0.0.1:1')).rejects.toThrow(
      /cannot reach the API server at 127\.0\.0\.1:1: connection refused/,
    );
    expect(readFileSync(world.logFile, 'utf8')).toMatch(/^kpackless: .*cannot reach the API server at 127\.0\.0\.1:1/m);
    expect(readFileSync(world.logFile, 'utf8')).not.toMatch(/^\s+at /m);
  });

  it('refuses a cluster of a Kubernetes that is not supported, and says what to do', async () => {
    server.state.minor = '30';
    try {
      await expect(world.start(server.url)).rejects.toThrow(
        /the cluster is Kubernetes 1\.30, and kpackless supports 1\.31 to 1\.34: upgrade its control plane/,
      );
    } finally {
      server.state.minor = '34';
    }
  });

  it('takes push hooks on loopback, through the handler of the function', async () => {
    const { hookPort } = await start();
    const hook = await fetch(`http://127.0.0.1:${hookPort}/`, {
      method: 'POST',
      headers: { authorization: `Bearer ${hookSecret}` },
      body: '{"url":"https://git.example/shop"}',
    });
    expect([hook.status, await hook.json()]).toEqual([202, { taken: 'what follows the repository looks at it' }]);
  });

  it('stops at once in the middle of its watches, leaving nothing that keeps the process alive', async () => {
    const standalone = await start();
    const began = performance.now();
    await standalone.stop();
    expect(await standalone.ended).toBe(0);
    expect(performance.now() - began).toBeLessThan(5000);
  });

  it('is refused its database while another one works with it', async () => {
    await start();
    await expect(world.start(server.url)).rejects.toThrow(/is in use: another kpackless runs with it/);
  });

  it('rests in less than 110 MB', async () => {
    const { pid } = await start();
    await sleep(1000);
    expect(residentMb(pid)).toBeLessThan(110);
  });

  it('ends with its parent, however that ends', async () => {
    const script = join(import.meta.dirname, '..', '..', 'support', 'standalone-parent.ts');
    const parent: ChildProcess = spawn(process.execPath, [script, server.url], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(parent.stdout ?? parent, 'data')) as [Buffer];
    const pid = Number(line.toString());
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    for (let waited = 0; isAlive(pid) && waited < 10_000; waited += 50) await sleep(50);
    expect(isAlive(pid)).toBe(false);
  });
});
