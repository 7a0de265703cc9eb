/** Hosts beside the cluster that want credentials, each in a network namespace of its own, all with real servers. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../infra/local/cluster/command.ts';
import { realHtpasswd, realUser } from '../support/real-registry.ts';
import type { StorySecret } from './objects.ts';
import type { Suite } from './suite.ts';
import { waitFor } from './wait.ts';

/** A host and the Secret that opens it. */
export interface GuardedHost {
  /** Address, with port where it is not the protocol's own. */
  readonly host: string;
  readonly secret: StorySecret;
}

const answers = (url: string): Promise<boolean> =>
  waitFor(
    async () => {
      const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
      await response.arrayBuffer();
      return true;
    },
    { what: `${url} to answer`, seconds: 20 },
  );

const folderOf = (suite: Suite, name: string): string => {
  const folder = join(suite.stateDir, 'hosts', name);
  mkdirSync(folder, { recursive: true });
  return folder;
};

/** A git host with basic auth; gives also the folder of its repositories. */
export const startPrivateGit = async (suite: Suite): Promise<GuardedHost & { readonly gitRoot: string }> => {
  const host = await suite.cluster.addHost('private-git');
  const gitRoot = folderOf(suite, 'private-git');
  const credentials = join(folderOf(suite, 'credentials'), 'private-git');
  const [username, password] = ['reader', 'sesame-of-git-7f3a'];
  writeFileSync(credentials, `${username}:${password}\n`, { mode: 0o600 });
  const program = join(import.meta.dirname, '..', '..', 'infra', 'local', 'git-server.ts');
  host.start({
    name: 'private-git-server',
    command: process.execPath,
    args: [program, '--root', gitRoot, '--listen', `${host.address}:80`, '--credentials', credentials],
  });
  await answers(`http://${host.address}/`);
  const secret = {
    name: 'git-login',
    type: 'kubernetes.io/basic-auth',
    annotations: { 'kpack.io/git': `http://${host.address}` },
    values: { username, password },
  };
  return { host: host.address, gitRoot, secret };
};

/** A registry with basic auth. */
export const startPrivateRegistry = async (suite: Suite): Promise<GuardedHost> => {
  const host = await suite.cluster.addHost('vault');
  const folder = folderOf(suite, 'vault');
  const address = `${host.address}:5000`;
  writeFileSync(join(folder, 'htpasswd'), realHtpasswd);
  writeFileSync(
    join(folder, 'config.json'),
    JSON.stringify({
      version: 0.1,
      log: { level: 'warn', accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: join(folder, 'content') } },
      http: { addr: address },
      auth: { htpasswd: { realm: 'vault', path: join(folder, 'htpasswd') } },
    }),
  );
  host.start({
    name: 'vault-registry',
    command: suite.cluster.binaries.registry,
    args: ['serve', join(folder, 'config.json')],
    env: { OTEL_TRACES_EXPORTER: 'none' },
  });
  await answers(`http://${address}/v2/`);
  const auth = Buffer.from(`${realUser.username}:${realUser.password}`).toString('base64');
  return {
    host: address,
    secret: {
      name: 'vault-login',
      type: 'kubernetes.io/dockerconfigjson',
      values: { '.dockerconfigjson': JSON.stringify({ auths: { [address]: { auth } } }) },
    },
  };
};

/** A web server for archives; gives its folder too. */
export const startBlobHost = async (suite: Suite): Promise<{ readonly host: string; readonly folder: string }> => {
  const host = await suite.cluster.addHost('blobs');
  const folder = folderOf(suite, 'blobs');
  const httpd = ['httpd', '-f', '-p', `${host.address}:80`, '-h', folder];
  host.start({ name: 'blob-server', command: '/bin/busybox', args: httpd });
  await answers(`http://${host.address}/`);
  return { host: host.address, folder };
};

/**
 * OpenSSH's server with user `git`, who may read the repositories of the cluster's git host. The user exists on that host only: the
 * network namespace's own view of /etc/passwd has it.
 */
export const startSshHost = async (suite: Suite): Promise<GuardedHost & { readonly path: string }> => {
  const host = await suite.cluster.addHost('ssh');
  const folder = folderOf(suite, 'ssh');
  const key = async (name: string): Promise<void> => {
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'story', '-f', join(folder, name)]);
  };
  await Promise.all([key('host'), key('client')]);
  const text = async (name: string): Promise<string> => run('cat', [join(folder, name)]);
  writeFileSync(
    join(folder, 'passwd'),
    'root:x:0:0::/root:/bin/sh\ngit:x:0:0::/root:/bin/sh\nsshd:x:65534:65534::/run/sshd:/bin/false\n',
  );
  const lines = [
    `ListenAddress ${host.address}:22`,
    `HostKey ${join(folder, 'host')}`,
    `AuthorizedKeysFile ${join(folder, 'client.pub')}`,
    'PidFile none',
    'UsePAM no',
    'StrictModes no',
    'PermitRootLogin prohibit-password',
    'PasswordAuthentication no',
    'AllowUsers git',
  ];
  writeFileSync(join(folder, 'sshd_config'), `${lines.join('\n')}\n`);
  mkdirSync('/run/sshd', { recursive: true });
  const script = `mount --bind ${join(folder, 'passwd')} /etc/passwd && exec /usr/sbin/sshd -D -e -f ${join(folder, 'sshd_config')}`;
  host.start({ name: 'sshd', command: 'unshare', args: ['--mount', 'sh', '-c', script] });
  const [type = '', base64 = ''] = (await text('host.pub')).split(' ');
  return {
    host: host.address,
    path: suite.cluster.gitRoot,
    secret: {
      name: 'ssh-key',
      type: 'kubernetes.io/ssh-auth',
      annotations: { 'kpack.io/git': host.address },
      values: { 'ssh-privatekey': await text('client'), known_hosts: `${host.address} ${type} ${base64}\n` },
    },
  };
};
