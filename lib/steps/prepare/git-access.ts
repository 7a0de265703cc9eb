/** Turns mounted credentials into configuration of git and ssh, bound to the hosts they are for (spec 03 §16.5; spec 08 pitfalls). */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { PermanentError } from '../../errors/expected.ts';
import type { GitUrl } from '../../git/url.ts';
import type { GitSetting } from './git-command.ts';
import { annotatedHost, type GitSecrets } from './git-secrets.ts';

export interface GitAccess {
  readonly settings: readonly GitSetting[];
  readonly env: Readonly<Record<string, string>>;
}

export interface AccessOptions {
  /** Folder for keys and configuration; removed with the step. */
  readonly scratch: string;
  /** Any host key will do (kpack's default). Otherwise it must be known. */
  readonly trustUnknownHosts: boolean;
}

/** Credentials of `url` itself count only where no Secret speaks for the host. */
export async function gitAccess(url: GitUrl, secrets: GitSecrets, options: AccessOptions): Promise<GitAccess> {
  const needsSsh = url.scheme === 'ssh' || secrets.ssh.length > 0;
  return {
    settings: [...httpSettings(url, secrets), ...lfsSettings()],
    env: needsSsh ? { GIT_SSH_COMMAND: await sshCommand(secrets, options) } : {},
  };
}

/** Without these settings LFS leaves pointer files and says nothing (spec 08). The binary is in the image or it is not. */
function lfsSettings(): readonly GitSetting[] {
  const isThere = (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, 'git-lfs')));
  if (!isThere) return [];
  return [
    ['filter.lfs.process', 'git-lfs filter-process'],
    ['filter.lfs.smudge', 'git-lfs smudge -- %f'],
    ['filter.lfs.clean', 'git-lfs clean -- %f'],
    ['filter.lfs.required', 'true'],
  ];
}

/**
 * One Authorization header per host, sent without being asked as kpack does. git would send it along to wherever the host redirects, so for
 * these hosts redirects are not followed; the caller asks where they lead.
 */
function httpSettings(url: GitUrl, { basic }: GitSecrets): readonly GitSetting[] {
  const logins = new Map<string, string>();
  for (const { annotation, username, password } of basic) {
    const host = annotatedHost(annotation);
    if (host !== undefined && !logins.has(host)) logins.set(host, `${username}:${password}`);
  }
  if (url.embedded !== undefined && !logins.has(url.authority)) {
    logins.set(url.authority, `${url.embedded.username}:${url.embedded.password}`);
  }
  return [...logins].flatMap(([host, login]) =>
    ['https', 'http'].flatMap((scheme): readonly GitSetting[] => [
      [`http.${scheme}://${host}/.extraHeader`, basicHeader(login)],
      [`http.${scheme}://${host}/.followRedirects`, 'false'],
    ]),
  );
}

function basicHeader(login: string): string {
  return `Authorization: Basic ${Buffer.from(login).toString('base64')}`;
}

/** The header that `settings` hold for a URL, or undefined. */
export function headerFor(url: URL, settings: readonly GitSetting[]): string | undefined {
  const key = `http.${url.protocol}//${url.host}/.extraHeader`;
  return settings.find(([name]) => name === key)?.[1].replace(/^Authorization: /, '');
}

async function sshCommand({ ssh }: GitSecrets, { scratch, trustUnknownHosts }: AccessOptions): Promise<string> {
  const folder = join(scratch, 'ssh');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const blocks: string[] = [];
  for (const [index, { annotation, privateKey, knownHosts }] of ssh.entries()) {
    const authority = annotatedHost(annotation);
    if (authority === undefined) continue;
    const key = join(folder, `key-${index}`);
    // ssh refuses keys that others may read, and keys without a final newline.
    await writeFile(key, `${privateKey.trimEnd()}\n`, { mode: 0o600 });
    const lines = [`Host ${authority.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')}`, `  IdentityFile ${key}`];
    if (!trustUnknownHosts && knownHosts !== undefined && knownHosts !== '') {
      await writeFile(`${key}.known_hosts`, `${knownHosts.trimEnd()}\n`);
      lines.push(`  UserKnownHostsFile ${key}.known_hosts`);
    }
    blocks.push(...lines);
  }
  const config = join(folder, 'config');
  await writeFile(config, [...blocks, ...everyHost(trustUnknownHosts), ''].join('\n'));
  return `${await accountFor(folder)}ssh -F '${config}'`;
}

function everyHost(trustUnknownHosts: boolean): readonly string[] {
  const trust = trustUnknownHosts
    ? ['StrictHostKeyChecking no', 'UserKnownHostsFile /dev/null', 'GlobalKnownHostsFile /dev/null']
    : ['StrictHostKeyChecking yes', ...knownHostsOfMachine()];
  const rest = ['BatchMode yes', 'IdentitiesOnly yes', 'ConnectTimeout 30', 'ServerAliveInterval 15', 'LogLevel ERROR'];
  return ['Host *', ...[...trust, ...rest].map((line) => `  ${line}`)];
}

/** Applies to hosts whose Secret brings no known_hosts: the first value ssh meets is the one that counts. */
function knownHostsOfMachine(): readonly string[] {
  const places = [process.env['SSH_KNOWN_HOSTS'], join(homedir(), '.ssh/known_hosts'), '/etc/ssh/ssh_known_hosts'];
  const found = places.find((place) => place !== undefined && place !== '' && existsSync(place));
  return [`UserKnownHostsFile ${found ?? '/dev/null'}`, 'GlobalKnownHostsFile /dev/null'];
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
