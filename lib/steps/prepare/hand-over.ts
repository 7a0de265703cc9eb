/**
 * Where all steps start at once, code of tenants may run while the source is still on its way, with git's own configuration in reach: hence it
 * is fetched where nobody else can write, and moved to where the others see it when it is whole (lib/builds/pod/hand-over.ts).
 */
import { lstat, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PermanentError } from '../../errors/expected.ts';
import { isSystemError } from '../step.ts';

/**
 * Moves what is in `from` into `to`, on the same volume, and removes `from`. Folders that are there already stay, as they may be mounted.
 * @throws PermanentError when something else is there.
 */
export async function handOver(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const name of await readdir(from)) await move(join(from, name), join(to, name));
  await rm(from, { recursive: true });
}

/** A rename follows no link in place of its target. */
async function move(from: string, to: string): Promise<void> {
  if ((await isFolder(from)) && (await isFolder(to))) {
    for (const name of await readdir(from)) await move(join(from, name), join(to, name));
    return;
  }
  try {
    await rename(from, to);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new PermanentError('', `${to} cannot be written: something was there before the source (${error.code})`, {
      cause: error,
    });
  }
}

const isFolder = async (path: string): Promise<boolean> => {
  try {
    return (await lstat(path)).isDirectory();
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return false;
    throw error;
  }
};
