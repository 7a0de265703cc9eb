/**
 * A copy of a file that another process works with: that process has it for itself alone, but a copy can be looked at. Whatever was written while it
 * was copied makes it be copied again.
 */
import { closeSync, copyFileSync, existsSync, mkdtempSync, openSync, readSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ExpectedError } from '../errors/expected.ts';

/** A copy, and what removes it. */
export interface FileCopy {
  readonly path: string;
  remove(): void;
}

const tries = 10;
/** The head of a write-ahead log has its salts: they change when the log is begun anew (SQLite, "WAL header format"). */
const headBytes = 32;

const headOf = (path: string): string => {
  const head = Buffer.alloc(headBytes);
  const file = openSync(path, 'r');
  try {
    readSync(file, head, 0, headBytes, 0);
  } finally {
    closeSync(file);
  }
  return head.toString('hex');
};

/** What is another when the main file was written, or its log begun anew: what was only added to the log is not in the copy, and not missed. */
const stateOf = (path: string): string => {
  const { mtimeMs, size, ino } = statSync(path);
  const log = `${path}-wal`;
  return [mtimeMs, size, ino, existsSync(log) ? headOf(log) : ''].join(' ');
};

/** A copy of the SQLite file at `path` with its log, in a folder that only its owner can read. @throws ExpectedError when it changes all the time */
export const copyOfDatabase = (path: string): FileCopy => {
  const folder = mkdtempSync(join(tmpdir(), 'kpackless-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  const to = join(folder, 'copy.sqlite');
  try {
    for (let attempt = 0; attempt < tries; attempt += 1) {
      const before = stateOf(path);
      copyFileSync(path, to);
      if (existsSync(`${path}-wal`)) copyFileSync(`${path}-wal`, `${to}-wal`);
      if (stateOf(path) === before) return { path: to, remove };
    }
  } catch (error) {
    remove();
    throw error;
  }
  remove();
  throw new ExpectedError(`${path} is written all the time: try again, or stop the kpackless that works with it`);
};
