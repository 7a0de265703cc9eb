/**
 * A real sshd on a free loopback port for tests, with a configuration, host keys and authorised key of its own; nothing of the
 * machine's own ssh is read or changed. Logs in as the user who runs the tests. Known limit: needs /usr/sbin/sshd.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SSHD = '/usr/sbin/sshd';

/** Why no real sshd can be had here, or undefined when it can. */
export const sshdMissing = existsSync(SSHD) ? undefined : `${SSHD} is not installed`;

/** Directory sshd insists on when it runs as root. */
const PRIVILEGE_DIRECTORY = '/run/sshd';

export interface SshServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  /** Private keys that are accepted, by type. */
  readonly keys: Readonly<Record<'ecdsa' | 'ed25519' | 'rsa', string>>;
  /** Lines of known_hosts for the server, by host key type. */
  readonly knownHosts: Readonly<Record<'ecdsa' | 'ed25519' | 'rsa', string>>;
  /** Directory for whatever a test needs beside it. */
  readonly directory: string;
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });

const waitFor = async (port: number, child: ChildProcess): Promise<void> => {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if (await answers(port)) return;
    if (child.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('sshd did not start');
};

const TYPES = ['ed25519', 'ecdsa', 'rsa'] as const;

const makeKey = async (path: string, type: (typeof TYPES)[number]): Promise<string> => {
  await run('ssh-keygen', [
    '-q',
    '-t',
    type,
    '-N',
    '',
    '-C',
    'test',
    '-f',
    path,
    ...(type === 'rsa' ? ['-b', '2048'] : []),
  ]);
  return readFile(path, 'utf8');
};

export interface SshServerOptions {
  /** Does the server take the client's GIT_PROTOCOL? Stock servers do not. */
  readonly acceptsGitProtocol: boolean;
  /** Lines of sshd_config to come before all others, as the first of each counts. */
  readonly lines?: readonly string[];
}

const configure = async (directory: string, port: number, options: SshServerOptions): Promise<string> => {
  const path = join(directory, 'sshd_config');
  const lines = [
    ...(options.lines ?? []),
    `ListenAddress 127.0.0.1:${port}`,
    ...TYPES.map((type) => `HostKey ${join(directory, `host-${type}`)}`),
    `AuthorizedKeysFile ${join(directory, 'authorized_keys')}`,
    'PidFile none',
    'UsePAM no',
    'StrictModes no',
    'PermitRootLogin prohibit-password',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    ...(options.acceptsGitProtocol ? ['AcceptEnv GIT_PROTOCOL'] : []),
  ];
  await writeFile(path, `${lines.join('\n')}\n`);
  return path;
};

const byType = async (make: (type: (typeof TYPES)[number]) => Promise<string>) => ({
  ed25519: await make('ed25519'),
  ecdsa: await make('ecdsa'),
  rsa: await make('rsa'),
});

/** Starts sshd; stop it with its async dispose, which ends the very process that was started. */
export const startSshServer = async (options: SshServerOptions): Promise<SshServer> => {
  const directory = await mkdtemp(join(tmpdir(), 'kpackless-sshd-'));
  await chmod(directory, 0o755);
  if (userInfo().uid === 0) await mkdir(PRIVILEGE_DIRECTORY, { recursive: true, mode: 0o755 });
  const port = await freePort();
  const keys = await byType((type) => makeKey(join(directory, `client-${type}`), type));
  await byType((type) => makeKey(join(directory, `host-${type}`), type));
  const knownHosts = await byType(async (type) => {
    const [keyType = '', key = ''] = (await readFile(join(directory, `host-${type}.pub`), 'utf8')).split(' ');
    return `[127.0.0.1]:${port} ${keyType} ${key}\n`;
  });
  const publicKeys = await byType((type) => readFile(join(directory, `client-${type}.pub`), 'utf8'));
  await writeFile(join(directory, 'authorized_keys'), Object.values(publicKeys).join(''));
  const config = await configure(directory, port, options);
  const child = spawn(SSHD, ['-D', '-e', '-f', config], { stdio: 'ignore' });
  await waitFor(port, child);
  return {
    host: '127.0.0.1',
    port,
    username: userInfo().username,
    keys,
    knownHosts,
    directory,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      await rm(directory, { recursive: true, force: true });
    },
  };
};
