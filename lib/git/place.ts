/** Where a repository is, as far as all ways of writing its URL agree: what a push hook and a follower are matched by. */
import { createHash } from 'node:crypto';
import { withoutEnds } from '../text/trim-end.ts';
import type { GitUrl } from './url.ts';

/** Hosts that answer for another one, on ports that firewalls let through. */
const ALIASES: Readonly<Record<string, string>> = {
  'ssh.github.com': 'github.com',
  'altssh.gitlab.com': 'gitlab.com',
  'altssh.bitbucket.org': 'bitbucket.org',
};

const unescaped = (path: string): string => {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
};

/**
 * `host/owner/name` for https, ssh and scp spellings alike: without port, user, `.git`, slashes at either end and Bitbucket Server's
 * `/scm`, in lower case. Two repositories may share a place (hosts that tell ports or letters apart): a hook then costs one listing too
 * many, never a wrong commit.
 */
export const repositoryPlace = ({ scheme, host, path }: GitUrl): string => {
  // An ssh path is decoded already, and decoding twice would read `%25` wrongly.
  const plain = scheme === 'ssh' ? path : unescaped(path);
  const name = withoutEnds(plain.toLowerCase(), '/')
    .replace(/\.git$/u, '')
    .replace(/^scm\//u, '');
  return `${ALIASES[host] ?? host}/${name}`;
};

/** The place as it may stand in a key of the store: nobody reads a URL from it. */
export const placeDigest = (url: GitUrl): string =>
  createHash('sha256').update(repositoryPlace(url)).digest('hex').slice(0, 40);
