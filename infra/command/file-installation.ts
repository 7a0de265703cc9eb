/** Standalone mode as a command sees it: its SQLite file, or a copy of it while a process works with it. */
import { createReadStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { openDatabase } from '../../lib/embedded/database.ts';
import { copyOfDatabase } from '../../lib/embedded/file-copy.ts';
import { sqliteLetters } from '../../lib/embedded/sqlite-letters.ts';
import { sqliteScan } from '../../lib/embedded/sqlite-scan.ts';
import { sqliteTable } from '../../lib/embedded/sqlite-table.ts';
import { PermanentError } from '../../lib/errors/expected.ts';
import type { Installation, LoggedPass, Opening } from './installation.ts';
import { passInLine } from './log-lines.ts';

/** The last passes that are told. */
const mostPasses = 10;

const opened = (path: string, { writes }: Opening) => {
  if (!existsSync(path))
    throw new PermanentError('NoFile', `there is no file ${path}: name the one that KPACKLESS_DATABASE names`);
  try {
    const database = openDatabase(path);
    return { database, close: () => database.close() };
  } catch (error) {
    if (!(error instanceof PermanentError) || error.reason !== 'StateInUse') throw error;
    if (writes)
      throw new PermanentError('StateInUse', `${path} is in use: stop the kpackless that works with it first`, {
        cause: error,
      });
  }
  const copy = copyOfDatabase(path);
  const database = openDatabase(copy.path);
  const close = (): void => {
    database.close();
    copy.remove();
  };
  return { database, close };
};

/** Opens the file at `path`. @throws PermanentError when it is not there, or is to be written and in use */
export const fileInstallation = (
  path: string,
  logFile: string | undefined,
  opening: Opening,
  clock: () => Date,
): Installation => {
  const { database, close } = opened(path, opening);
  const letters = sqliteLetters(database, clock);
  return {
    shown: path,
    isFile: true,
    table: sqliteTable(database),
    scan: sqliteScan(database),
    depths: letters,
    letters,
    passes: async (target) => {
      if (logFile === undefined) return [];
      const last: LoggedPass[] = [];
      for await (const line of createInterface({ input: createReadStream(logFile) })) {
        const pass = passInLine(line, target);
        if (pass !== undefined) last.unshift(pass);
        last.length = Math.min(last.length, mostPasses);
      }
      return last;
    },
    [Symbol.asyncDispose]: async () => close(),
  };
};
