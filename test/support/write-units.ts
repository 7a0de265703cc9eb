/**
 * Counts what DynamoDB bills for writes, around any table: a unit for each KB of an item, and for the index `due`, which has the keys alone, one when an item
 * comes into it or leaves it, two when a key of it changes, none otherwise (DynamoDB Developer Guide, "Provisioned throughput considerations for
 * global secondary indexes"). A conditional write that fails costs a unit too.
 */
import type { Item, Table } from '../../lib/state/table.ts';

/** Units so far. */
export interface WriteUnits {
  table: number;
  index: number;
}

const sizeOf = (item: Item | undefined): number => Buffer.byteLength(JSON.stringify(item ?? {}));
const placeOf = (item: Item | undefined): string | undefined =>
  typeof item?.['dueAt'] === 'number' && typeof item['dueShard'] === 'number'
    ? `${item['dueShard']}/${item['dueAt']}`
    : undefined;

const inIndex = (before: Item | undefined, after: Item | undefined): number => {
  const [from, to] = [placeOf(before), placeOf(after)];
  if (from === to) return 0;
  return from === undefined || to === undefined ? 1 : 2;
};

/** The same table, whose writes are counted in `units`. */
export const countingWrites = (table: Table): { readonly table: Table; readonly units: WriteUnits } => {
  const units: WriteUnits = { table: 0, index: 0 };
  const write = async <Answer>(pk: string, sk: string, run: () => Promise<Answer>): Promise<Answer> => {
    const before = await table.get(pk, sk);
    const answer = await run();
    const after = await table.get(pk, sk);
    units.table += Math.max(1, Math.ceil(Math.max(sizeOf(before), sizeOf(after)) / 1024));
    units.index += inIndex(before, after);
    return answer;
  };
  return {
    units,
    table: {
      ...table,
      put: (pk, sk, item) => write(pk, sk, () => table.put(pk, sk, item)),
      update: (pk, sk, change) => write(pk, sk, () => table.update(pk, sk, change)),
      delete: (pk, sk, expectation) => write(pk, sk, () => table.delete(pk, sk, expectation)),
    },
  };
};
