/** Keeps paths that come from users or from sources inside the workspace, links included. */
import { lstat, realpath } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { PermanentError } from '../../errors/expected.ts';
import { isSystemError } from '../step.ts';

/**
 * `root/path` with all links resolved, or undefined when it does not exist. @throws PermanentError when it lies outside `root`: a source
 * with a link to a mounted Secret must not get it read.
 */
export async function insidePath(root: string, path: string, what: string): Promise<string | undefined> {
  const base = await realpath(root);
  const wanted = join(base, path);
  if (leaves(base, wanted)) throw outside(what, path);
  let found: string;
  try {
    found = await realpath(wanted);
  } catch (error) {
    if (isSystemError(error, 'ENOENT') || isSystemError(error, 'ENOTDIR')) {
      return (await isLink(wanted)) ? Promise.reject(outside(what, path)) : undefined;
    }
    throw error;
  }
  if (leaves(base, found)) throw outside(what, path);
  return found;
}

function leaves(base: string, path: string): boolean {
  const way = relative(base, path);
  return way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way);
}

async function isLink(path: string): Promise<boolean> {
  return await lstat(path).then(
    (stats) => stats.isSymbolicLink(),
    () => false,
  );
}

function outside(what: string, path: string): PermanentError {
  return new PermanentError('', `${what} ${JSON.stringify(path)} lies outside the source; use a path inside it`);
}
