/** Turns mounted credentials into configuration of git and ssh, bound to the hosts they are for (spec 03 §16.5; spec 08 pitfalls). */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { PermanentError } from '../../errors/expected.ts';
import { annotationCovers } from '../../git/credentials.ts';
import type { GitUrl } from '../../git/url.ts';
import { basicAuthorization } from '../../secrets/authorization.ts';
import type { GitSetting } from './git-command.ts';
import { annotatedHost, type GitSecrets } from './git-secrets.ts';

export interface GitAccess {
  readonly settings: readonly GitSetting[];
  readonly env: Readonly<Record<string, string>>;
}

export interface AccessOptions {
  /** Folder for keys and configuration; removed with the step. */
  readonly scratch: string;
  /** Any host key will do (kpack's default) where the Secret has no known_hosts. Otherwise it must be known. */
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
 * One Authorization header per scheme and host, sent without being asked as kpack does. git would send it along to wherever the host
 * redirects, so for these hosts redirects are not followed; the caller asks where they lead. What is annotated for https, or was written
 * into an https URL, is never sent in the clear.
 */
function httpSettings(url: GitUrl, { basic }: GitSecrets): readonly GitSetting[] {
  const hosts = new Set(basic.flatMap(({ annotation }) => annotatedHost(annotation) ?? []));
  if (url.embedded !== undefined) hosts.add(url.authority);
  return [...hosts].flatMap((authority) =>
    (['https', 'http'] as const).flatMap((scheme): readonly GitSetting[] => {
      const ofUrl =
        url.authority === authority && (scheme === 'https' || url.scheme === 'http') ? url.embedded : undefined;
      const login = basic.find(({ annotation }) => annotationCovers(annotation, { scheme, authority })) ?? ofUrl;
      return login === undefined
        ? []
        : [
            [`http.${scheme}://${authority}/.extraHeader`, `Authorization: ${basicAuthorization(login)}`],
            [`http.${scheme}://${authority}/.followRedirects`, 'false'],
          ];
    }),
  );
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
    blocks.push(matchFor(authority), `  IdentityFile ${key}`);
    if (knownHosts === undefined) continue;
    await writeFile(`${key}.known_hosts`, `${knownHosts.trimEnd()}\n`);
    blocks.push(...onlyKnown(`${key}.known_hosts`));
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
