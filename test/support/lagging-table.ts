/** A table whose index lags on purpose, as DynamoDB's may (DESIGN §3.19): what our code gets wrong with a late index, it then gets wrong in tests. */
import { openDatabase } from '../../lib/embedded/database.ts';
import { sqliteTable } from '../../lib/embedded/sqlite-table.ts';
import type { Table } from '../../lib/state/table.ts';

/** `current`, with an index `due` that sees the state of `milliseconds` ago. Writes that succeeded are repeated on a copy, in their order. */
export const laggingTable = (current: Table, milliseconds: number): Table => {
  const behind = sqliteTable(openDatabase());
  let last: Promise<unknown> = Promise.resolve();
  const later = (repeat: () => Promise<unknown>): void => {
    const waited = new Promise((resolve) => {
      setTimeout(resolve, milliseconds).unref();
    });
    last = Promise.all([last, waited]).then(repeat);
  };
  const repeated = async (written: boolean, repeat: () => Promise<unknown>): Promise<boolean> => {
    if (written) later(repeat);
    return written;
  };
  return {
    get: (...given) => current.get(...given),
    queryPartition: (...given) => current.queryPartition(...given),
    queryDue: (...given) => behind.queryDue(...given),
    put: async (...given) => {
      await current.put(...given);
      later(() => behind.put(...given));
    },
    update: async (...given) => repeated(await current.update(...given), () => behind.update(...given)),
    delete: async (...given) => repeated(await current.delete(...given), () => behind.delete(...given)),
  };
};
