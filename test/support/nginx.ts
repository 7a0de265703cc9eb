/** A real nginx for tests, with a configuration of its own in a folder of its own, on loopback. Known limit: ports are chosen before it listens. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { whichProgram } from '../../infra/local/cluster/packages.ts';

/** Why no real nginx can be had here, or undefined when it can. */
export const nginxMissing = whichProgram('nginx') === undefined ? 'nginx is not installed' : undefined;

/** A port that nobody listens on. */
export const unusedPort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

const started = async (child: ChildProcess, port: number): Promise<void> => {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (await answers(port)) return;
    if (child.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('nginx did not start');
};

/** Runs it with these `server` blocks, `port` being one that they listen on, and `files` beside its configuration; ends with its dispose. */
export const startNginx = async (
  servers: string,
  port: number,
  files: Readonly<Record<string, string>> = {},
): Promise<AsyncDisposable> => {
  const folder = await mkdtemp(join(tmpdir(), 'kpackless-nginx-'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((what) => `${what}_temp_path ${what};`);
  const lines = [
    'daemon off; master_process off; pid nginx.pid; error_log stderr;',
    'events {}',
    'http {',
    'access_log off;',
  ];
  await writeFile(join(folder, 'nginx.conf'), [...lines, ...temporary, servers, '}'].join('\n'));
  const program = whichProgram('nginx') ?? 'nginx';
  const child = spawn(program, ['-p', folder, '-e', 'stderr', '-c', 'nginx.conf'], { stdio: 'ignore' });
  await started(child, port);
  return {
    [Symbol.asyncDispose]: async () => {
      await new Promise<void>((resolve) => {
        child.once('exit', () => resolve());
        if (!child.kill('SIGTERM')) resolve();
      });
      await rm(folder, { recursive: true, force: true });
    },
  };
};
