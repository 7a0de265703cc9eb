/**
 * What steps that run side by side tell each other: `done` and `failed`, each a file in the folder of the step that says so. Folders belong to
 * steps whose code is anybody's, so a signal is that a regular file is there and nothing else: no link is followed, no content read.
 */
import { lstat, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PermanentError } from '../../errors/expected.ts';
import { isSystemError } from '../step.ts';

type Signal = 'done' | 'failed';

/** More steps than any pod has: what lists more folders is no folder of ours. */
const mostSteps = 100;

/** Whether the step with this folder has given the signal. @throws PermanentError when something else is there, or the folder was closed. */
export async function isGiven(folder: string, signal: Signal): Promise<boolean> {
  try {
    if ((await lstat(join(folder, signal))).isFile()) return true;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return false;
    if (isSystemError(error)) throw new PermanentError('', `${folder} cannot be looked into: ${error.code}`);
    throw error;
  }
  throw new PermanentError('', `${join(folder, signal)} is not a file: the step that it belongs to did not write it`);
}

/** Name of a step that has failed, of all that have a folder in `signals`; undefined when none has. @throws PermanentError as `isGiven`. */
export async function whoFailed(signals: string): Promise<string | undefined> {
  for (const step of (await readdir(signals)).slice(0, mostSteps)) {
    if (await isGiven(join(signals, step), 'failed')) return step;
  }
  return undefined;
}

/** Gives the signal. `wx`: never through a link, and never over what is there. @throws PermanentError when it was given before. */
export async function give(folder: string, signal: Signal, text: string): Promise<void> {
  try {
    await writeFile(join(folder, signal), text, { flag: 'wx' });
  } catch (error) {
    if (!isSystemError(error, 'EEXIST')) throw error;
    throw new PermanentError('', 'file specified for writing already exists', { cause: error });
  }
}
