/** Empty tables in memory, on SQLite: the adapter of standalone mode, which the contract suite holds to be what DynamoDB's is. */
import { openDatabase } from '../../lib/embedded/database.ts';
import { sqliteTable } from '../../lib/embedded/sqlite-table.ts';
import type { Table } from '../../lib/state/table.ts';

export interface StateTables extends AsyncDisposable {
  /** A new table with nothing in it. */
  empty(): Promise<Table>;
}

/** Dispose of it. */
export const stateTables = async (): Promise<StateTables> => {
  const opened: ReturnType<typeof openDatabase>[] = [];
  return {
    empty: async () => {
      const database = openDatabase();
      opened.push(database);
      return sqliteTable(database);
    },
    [Symbol.asyncDispose]: async () => {
      for (const database of opened) database.close();
    },
  };
};
