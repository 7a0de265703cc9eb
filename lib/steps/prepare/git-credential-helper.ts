/**
 * Logins for whatever git runs that speaks http itself, which is LFS: handed out by host through a credential helper (gitcredentials(7)), so that
 * no header goes along to hosts it is not for. GitLab and GitHub Enterprise refuse a request that has two of them.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { shellQuoted } from '../../git/ssh-errors.ts';
import type { Login } from '../../secrets/authorization.ts';
import type { GitSetting } from './git-command.ts';

/** A login for one origin, or why there is none. */
export interface HostLogin {
  /** `https://host`, with the port if it is in the URL. */
  readonly origin: string;
  readonly login: Login | { readonly why: string };
}

/** Built from what every shell has: the image has no other programs. */
const telling = (file: string): string =>
  `!f() { test "$1" = get && while IFS= read -r line; do printf '%s\\n' "$line"; done <${shellQuoted(file)}; }; f`;

const refusing = (why: string): string => `!printf '%s\\n' ${shellQuoted(why)} >&2; false`;

/** Settings of git for these logins; what is secret lies in files below `scratch`, on no command line. */
export async function helperSettings(logins: readonly HostLogin[], scratch: string): Promise<readonly GitSetting[]> {
  const folder = join(scratch, 'logins');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const settings = await Promise.all(
    logins.map(async ({ origin, login }, index): Promise<readonly GitSetting[]> => {
      const key = `credential.${origin}.helper`;
      if ('why' in login) return [[key, refusing(login.why)]];
      const file = join(folder, `${index}`);
      await writeFile(file, `username=${login.username}\npassword=${login.password}\n`, { mode: 0o600 });
      // Shown at once, as hosts may hide from everybody else that there is anything.
      return [
        [key, telling(file)],
        [`lfs.${origin}/.access`, 'basic'],
      ];
    }),
  );
  return settings.flat();
}
