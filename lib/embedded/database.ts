/**
 * The one file of standalone mode: records and messages in SQLite (DESIGN §3.18). Every call is synchronous and takes microseconds; a
 * transaction that has returned survives the death of the process. One process at a time: the file is locked while it is open.
 */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { PermanentError } from '../errors/expected.ts';

/**
 * `item`: the table of lib/state/keys.ts; attributes as JSON, those of the index `due` as columns. `message`: what lies in a queue, in order of
 * `seq`; `hidden_until` in milliseconds since the epoch.
 */
const schema = `
  CREATE TABLE IF NOT EXISTS item (
    pk TEXT NOT NULL, sk TEXT NOT NULL, due_shard INTEGER, due_at INTEGER, attributes TEXT NOT NULL,
    PRIMARY KEY (pk, sk)
  ) WITHOUT ROWID, STRICT;
  CREATE INDEX IF NOT EXISTS due ON item (due_shard, due_at, pk, sk) WHERE due_shard IS NOT NULL AND due_at IS NOT NULL;
  CREATE TABLE IF NOT EXISTS message (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, target TEXT NOT NULL, tenant TEXT NOT NULL,
    bulk INTEGER NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, sent_at INTEGER NOT NULL, received INTEGER NOT NULL DEFAULT 0,
    hidden_until INTEGER NOT NULL DEFAULT 0,
    in_hand INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX IF NOT EXISTS message_of_target ON message (queue, target, seq);
`;
/** Raise when the schema changes; a file of another version is refused, as what it holds can be made anew from the cluster. */
const version = 1;

/** Opens the file, or a database in memory without `path`. @throws PermanentError when another process has it open, or another version wrote it */
export const openDatabase = (path?: string): DatabaseSync => {
  const database = new DatabaseSync(path ?? ':memory:');
  try {
    // Small pages, as a commit writes every page it touches, and most rows have some hundred bytes.
    // The write-ahead log loses nothing when the process dies; only a machine that loses power may lose the last moments.
    database.exec(
      'PRAGMA page_size = 1024; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -4096;',
    );
    const { user_version: found } = database.prepare('PRAGMA user_version').get() as { readonly user_version: number };
    if (found !== 0 && found !== version)
      throw new PermanentError(
        'StateVersion',
        `${path ?? ''} was written by another version of kpackless (${found}, this one has ${version}): remove it; everything in it is made anew`,
      );
    database.exec(`BEGIN IMMEDIATE; ${schema} PRAGMA user_version = ${version}; COMMIT;`);
  } catch (error) {
    database.close();
    if (error instanceof Error && 'errcode' in error && error.errcode === 5)
      throw new PermanentError('StateInUse', `${path ?? ''} is in use: another kpackless runs with it`, {
        cause: error,
      });
    throw error;
  }
  return database;
};

/** Compiled once a database: to compile them costs more than to run them. */
const bounds = new WeakMap<DatabaseSync, { readonly begin: StatementSync; readonly commit: StatementSync }>();

/** Runs `work` as one transaction: all of it is kept or nothing. */
export const inTransaction = <T>(database: DatabaseSync, work: () => T): T => {
  const known = bounds.get(database);
  const { begin, commit } = known ?? { begin: database.prepare('BEGIN IMMEDIATE'), commit: database.prepare('COMMIT') };
  if (known === undefined) bounds.set(database, { begin, commit });
  begin.run();
  try {
    const result = work();
    commit.run();
    return result;
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
};
