/** Turns mounted credentials into configuration of git and ssh, bound to the hosts they are for (spec 03 §16.5; spec 08 §3). */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { GitSecret } from '../../git/credentials.ts';
import { GitError } from '../../git/errors.ts';
import { type GitUrl, parseGitUrl } from '../../git/url.ts';
import type { GitSetting } from './git-command.ts';
import { type HostLogin, helperSettings } from './git-credential-helper.ts';
import { annotatedHost, credentialAmong } from './git-secrets.ts';
import { type SshOptions, sshCommand } from './ssh-command.ts';

/** What every git of the step is run with. */
export interface GitAccess {
  readonly settings: readonly GitSetting[];
  readonly env: Readonly<Record<string, string>>;
}

/** Credentials of `url` itself count only where no Secret speaks for the host. */
export async function gitAccess(url: GitUrl, secrets: readonly GitSecret[], options: SshOptions): Promise<GitAccess> {
  const needsSsh = secrets.some(({ type }) => type === 'kubernetes.io/ssh-auth');
  return {
    settings: [...(await helperSettings(hostLogins(url, secrets), options.scratch)), ...lfsSettings()],
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

/** What is annotated for https, or was written into an https URL, is never sent in the clear. */
function hostLogins(url: GitUrl, secrets: readonly GitSecret[]): readonly HostLogin[] {
  const authorities = new Set(secrets.flatMap(({ annotation }) => annotatedHost(annotation) ?? []));
  if (url.embedded !== undefined) authorities.add(url.authority);
  return [...authorities].flatMap((authority) =>
    (['https', 'http'] as const).flatMap((scheme): readonly HostLogin[] => {
      const origin = `${scheme}://${authority}`;
      const ofUrl =
        url.authority === authority && (scheme === 'https' || url.scheme === 'http') ? url.embedded : undefined;
      const login = loginFor(origin, secrets) ?? ofUrl;
      return login === undefined ? [] : [{ origin, login }];
    }),
  );
}

function loginFor(origin: string, secrets: readonly GitSecret[]): HostLogin['login'] | undefined {
  try {
    const credential = credentialAmong(secrets, parseGitUrl(origin));
    return credential?.kind === 'basic' ? credential : undefined;
  } catch (error) {
    if (error instanceof GitError) return { why: error.message };
    throw error;
  }
}
