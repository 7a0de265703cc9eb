/** A table whose index is as the table was a while ago, in the run's time (DESIGN §3.19). */
import { openDatabase } from '../../../lib/embedded/database.ts';
import { sqliteTable } from '../../../lib/embedded/sqlite-table.ts';
import type { Table } from '../../../lib/state/table.ts';
import type { Dice } from '../dice.ts';
import type { VirtualTime } from '../virtual-time.ts';

const longestMilliseconds = 1500;

export const laggingIndex = (current: Table, time: VirtualTime, dice: Dice): Table => {
  const behind = sqliteTable(openDatabase());
  let lastAt = 0;
  const later = (repeat: () => Promise<unknown>): void => {
    // In the order of the writes: an index never goes back.
    lastAt = Math.max(lastAt, time.now + dice.between(`index ${time.now}`, 1, longestMilliseconds));
    time.in(lastAt - time.now, () => void repeat(), undefined);
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
