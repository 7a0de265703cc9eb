/** Where a submodule is: its URL may be relative to that of the repository it is in (gitmodules(5)). */
import { PermanentError } from '../../errors/expected.ts';
import { shownUrl } from '../../text/shown-url.ts';
import { withoutEnd } from '../../text/trim-end.ts';

/** Position of the last `/`, or of the `:` behind a host where no path is left. */
const lastSeparator = (remote: string): number => {
  const slash = remote.lastIndexOf('/');
  const isAuthority = remote.endsWith('://', slash + 1);
  if (slash >= 0 && !isAuthority) return slash;
  return remote.includes('://') ? -1 : remote.lastIndexOf(':');
};

/**
 * The absolute URL. `./` and `../` at its beginning are taken off against `remote`, one part of its path for each `../`, as git does.
 * @throws PermanentError when it climbs above the host
 */
export function submoduleUrl(remote: string, written: string): string {
  if (!written.startsWith('./') && !written.startsWith('../')) return written;
  let base = withoutEnd(remote, '/');
  let rest = written;
  let separator = '/';
  while (rest.startsWith('./') || rest.startsWith('../')) {
    if (rest.startsWith('../')) {
      const at = lastSeparator(base);
      if (at < 0)
        throw new PermanentError(
          'InvalidGitUrl',
          `the submodule URL ${shownUrl(written)} climbs above its host; write a URL with a scheme into .gitmodules`,
        );
      separator = base[at] ?? '/';
      base = base.slice(0, at);
      rest = rest.slice(3);
    } else rest = rest.slice(2);
  }
  return `${base}${separator}${withoutEnd(rest, '/')}`;
}
