/** The whole table in SQLite. */
import type { DatabaseSync } from 'node:sqlite';
import type { Scan } from '../state/scan.ts';
import { itemOf, type Row, rowColumns } from './sqlite-table.ts';

const pageSize = 500;

/** Reads the items of `database` in the order of their keys. */
export const sqliteScan = (database: DatabaseSync): Scan => ({
  async *pages() {
    const statement = database.prepare(
      `SELECT ${rowColumns} FROM item WHERE (pk, sk) > (?, ?) ORDER BY pk, sk LIMIT ${pageSize}`,
    );
    let last: Pick<Row, 'pk' | 'sk'> | undefined = { pk: '', sk: '' };
    while (last !== undefined) {
      const rows = statement.all(last.pk, last.sk) as unknown as readonly Row[];
      if (rows.length > 0) yield rows.map(itemOf);
      last = rows.length < pageSize ? undefined : rows.at(-1);
    }
  },
});
