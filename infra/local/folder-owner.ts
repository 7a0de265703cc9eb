/** One process per database folder: LevelDB's own refusal would surface inside dynalite, where nobody can catch it. */

import { mkdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const ownedHere = new Set<string>();

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
};

/**
 * Makes the folder when absent and takes it for this process; answers how to give it back. Rejects while another living process,
 * or this one, has it. The mark of a process that was killed is taken over; so is one with our own process id, which after the
 * restart of a container is that of our predecessor.
 */
export const ownFolder = async (path: string): Promise<() => Promise<void>> => {
  await mkdir(path, { recursive: true });
  const folder = await realpath(path);
  const mark = join(folder, 'OWNER');
  const pid = Number(await readFile(mark, 'utf8').catch(() => ''));
  if (ownedHere.has(folder) || (pid > 0 && pid !== process.pid && isAlive(pid))) {
    throw new Error(`${folder} is in use by process ${pid || process.pid}: stop it, or name another folder`);
  }
  ownedHere.add(folder);
  await writeFile(mark, String(process.pid));
  return async () => {
    await rm(mark, { force: true });
    ownedHere.delete(folder);
  };
};
