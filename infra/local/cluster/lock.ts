import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

import { ExpectedError } from '../../../lib/errors/expected.ts';
import { startTimeOf } from './process.ts';

/** Addresses, bridge and control group are the machine's, so one local cluster runs at a time, whatever its state folder. */
export const LOCK_DIR = '/run/kpackless';
const LOCK_FILE = `${LOCK_DIR}/cluster.json`;

/** Who runs, or ran, the local cluster. */
export interface Holder {
  readonly pid: number;
  readonly startTime: string;
  readonly stateDir: string;
  /** Folders of the machine that this cluster made. */
  readonly made: readonly string[];
}

/** The one who holds or held the lock; `alive` tells which. */
export const lockHolder = (): (Holder & { readonly alive: boolean }) | undefined => {
  let holder: Holder;
  try {
    holder = JSON.parse(readFileSync(LOCK_FILE, 'utf8')) as Holder;
  } catch {
    return undefined; // none, or written half by one that died: nothing was started yet
  }
  return { ...holder, alive: startTimeOf(holder.pid) === holder.startTime };
};

/**
 * Takes the lock for this process and answers with the dead holder whose leftovers must be removed first, if there is one.
 * @throws ExpectedError when a living process holds it.
 */
export const takeLock = (stateDir: string, made: readonly string[]): Holder | undefined => {
  const before = lockHolder();
  if (before?.alive === true)
    throw new ExpectedError(
      `a local cluster already runs on this machine (process ${before.pid}, state in ${before.stateDir}): stop it first`,
      { pace: 'slow' },
    );
  mkdirSync(LOCK_DIR, { recursive: true });
  const holder: Holder = {
    pid: process.pid,
    startTime: startTimeOf(process.pid) ?? '',
    stateDir,
    made: [...new Set([...(before?.made ?? []), ...made])],
  };
  if (before !== undefined) rmSync(LOCK_FILE, { force: true });
  try {
    writeFileSync(LOCK_FILE, JSON.stringify(holder), { flag: 'wx' });
  } catch (cause) {
    throw new ExpectedError('another process is just starting a local cluster on this machine: wait for it', { cause });
  }
  return before;
};

/** What this process may remove at its end. */
export const madeByHolder = (): readonly string[] => lockHolder()?.made ?? [];

export const releaseLock = (): void => rmSync(LOCK_DIR, { recursive: true, force: true });
