/** The ssh that git runs: one key and one known_hosts for each host that a Secret is annotated for, and nothing of the machine's own. */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { PermanentError } from '../../errors/expected.ts';
import { type GitSecret, type SshCredential, usableKey } from '../../git/credentials.ts';
import { GitError } from '../../git/errors.ts';
import { parseGitUrl } from '../../git/url.ts';
import { annotatedHost, credentialAmong } from './git-secrets.ts';

/** How ssh is set up. */
export interface SshOptions {
  /** Folder for keys and configuration; removed with the step. */
  readonly scratch: string;
  /** Any host key will do (kpack's default) where the Secret has no known_hosts. Otherwise it must be known. */
  readonly trustUnknownHosts: boolean;
}

/** A key that can be used, and the host it is for. */
interface HostKey {
  readonly authority: string;
  readonly key: string;
  readonly credential: SshCredential;
}

/** A Secret that is broken gives no key; whoever needs it is told before ssh runs. */
function hostKeys(secrets: readonly GitSecret[]): readonly HostKey[] {
  const authorities = new Set(secrets.flatMap(({ annotation }) => annotatedHost(annotation) ?? []));
  return [...authorities].flatMap((authority) => {
    try {
      const url = parseGitUrl(`ssh://${authority}/any`);
      const credential = credentialAmong(secrets, url);
      return credential?.kind === 'ssh' ? [{ authority, credential, key: usableKey(credential, url) }] : [];
    } catch (error) {
      if (error instanceof GitError || error instanceof PermanentError) return [];
      throw error;
    }
  });
}

/** The command, with its configuration written below `scratch`. @throws PermanentError where ssh cannot run */
export async function sshCommand(
  secrets: readonly GitSecret[],
  { scratch, trustUnknownHosts }: SshOptions,
): Promise<string> {
  const folder = join(scratch, 'ssh');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const blocks: string[] = [];
  for (const [index, { authority, key, credential }] of hostKeys(secrets).entries()) {
    const file = join(folder, `key-${index}`);
    // ssh refuses keys that others may read.
    await writeFile(file, key, { mode: 0o600 });
    blocks.push(matchFor(authority), `  IdentityFile ${file}`);
    if (credential.knownHosts === undefined) continue;
    await writeFile(`${file}.known_hosts`, `${credential.knownHosts.trimEnd()}\n`);
    blocks.push(...onlyKnown(`${file}.known_hosts`));
  }
  const config = join(folder, 'config');
  await writeFile(config, [...blocks, ...everyHost(trustUnknownHosts), ''].join('\n'));
  return `${await accountFor(folder)}ssh -F '${config}'`;
}

/** One host and port, as the resolver of the source compares them: a Secret for one port of a host says nothing about another. */
function matchFor(authority: string): string {
  const [, bracketed, plain = '', port = '22'] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(authority) ?? [];
  return `Match originalhost "${bracketed ?? plain}" exec "test %p -eq ${port}"`;
}

/** Known hosts that somebody gave are obeyed, whatever the installation thinks of unknown ones. The first value that ssh meets counts. */
const onlyKnown = (file: string): readonly string[] =>
  ['StrictHostKeyChecking yes', `UserKnownHostsFile ${file}`].map((line) => `  ${line}`);

function everyHost(trustUnknownHosts: boolean): readonly string[] {
  const trust = trustUnknownHosts
    ? ['StrictHostKeyChecking no', 'UserKnownHostsFile /dev/null']
    : ['StrictHostKeyChecking yes', ...knownHostsOfMachine()];
  const rest = [
    'GlobalKnownHostsFile /dev/null',
    'UpdateHostKeys no',
    'BatchMode yes',
    'IdentitiesOnly yes',
    // RSA with SHA-1, which older hosts have alone: the source was looked up over it as well.
    'HostKeyAlgorithms +ssh-rsa',
    'PubkeyAcceptedAlgorithms +ssh-rsa',
    'ConnectTimeout 30',
    'ServerAliveInterval 15',
    'LogLevel ERROR',
  ];
  return ['Match all', ...[...trust, ...rest].map((line) => `  ${line}`)];
}

/** Applies to hosts whose Secret brings no known_hosts: the first value ssh meets is the one that counts. */
function knownHostsOfMachine(): readonly string[] {
  const places = [process.env['SSH_KNOWN_HOSTS'], join(homedir(), '.ssh/known_hosts'), '/etc/ssh/ssh_known_hosts'];
  const found = places.find((place) => place !== undefined && place !== '' && existsSync(place));
  return [`UserKnownHostsFile ${found ?? '/dev/null'}`];
}

/** Build pods run as a user that the image's passwd does not have, which ssh refuses; a library lends it an entry. */
async function accountFor(folder: string): Promise<string> {
  try {
    userInfo();
    return '';
  } catch {
    const library = ['x86_64', 'aarch64']
      .map((machine) => `/usr/lib/${machine}-linux-gnu/libnss_wrapper.so`)
      .find((path) => existsSync(path));
    if (library === undefined) {
      throw new PermanentError(
        '',
        `user ${process.getuid?.()} has no name here and libnss_wrapper is not in the image: ssh cannot run`,
      );
    }
    const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
    await writeFile(join(folder, 'passwd'), `step:x:${uid}:${gid}:step:/tmp:/bin/sh\n`);
    await writeFile(join(folder, 'group'), `step:x:${gid}:\n`);
    return `LD_PRELOAD=${library} NSS_WRAPPER_PASSWD=${join(folder, 'passwd')} NSS_WRAPPER_GROUP=${join(folder, 'group')} `;
  }
}
