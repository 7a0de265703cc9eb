/**
 * Where all steps start at once, code of tenants may run while the source is still on its way, with git's own configuration in reach: hence it
 * is fetched where nobody else can write, and moved to where the others see it when it is whole (lib/builds/pod/hand-over.ts).
 */
import { lstat, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { PermanentError } from '../../errors/expected.ts';
import { isSystemError } from '../step.ts';

/**
 * Moves what is in `from` into `to`, on the same volume, and removes `from`. Folders that are there already stay, as they may be mounted.
 * @throws PermanentError when something else is there.
 */
export async function handOver(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  await moveAll(Buffer.from(from), Buffer.from(to));
  await rm(from, { recursive: true });
}

/** Names need not be UTF-8. */
async function moveAll(from: Buffer, to: Buffer): Promise<void> {
  for (const name of await readdir(from, { encoding: 'buffer' })) await move(below(from, name), below(to, name));
}

const below = (folder: Buffer, name: Uint8Array): Buffer => Buffer.concat([folder, Buffer.from('/'), name]);

/** A rename follows no link in place of its target. */
async function move(from: Buffer, to: Buffer): Promise<void> {
  if ((await isFolder(from)) && (await isFolder(to))) {
    await moveAll(from, to);
    return;
  }
  try {
    await rename(from, to);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new PermanentError(
      '',
      `${to.toString()} cannot be written: something was there before the source (${error.code})`,
      {
        cause: error,
      },
    );
  }
}

const isFolder = async (path: Buffer): Promise<boolean> => {
  try {
    return (await lstat(path)).isDirectory();
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return false;
    throw error;
  }
};
