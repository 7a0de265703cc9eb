/**
 * Reads that are asked for in one turn of the event loop go out as one request. A batch of ten messages then costs one read where it cost ten,
 * each of which takes as much processor time as a request to the API server.
 */
import type { DynamoDbTable, ItemKey } from './dynamodb-table.ts';
import { expectKey, type Item, type Table } from './table.ts';

/** Items of 400 KB: so many fit well into what one answer may hold, 16 MB. */
const mostAtOnce = 25;

interface Asked {
  readonly key: ItemKey;
  readonly resolve: (item: Item | undefined) => void;
  readonly reject: (error: unknown) => void;
}

const idOf = ({ pk, sk }: ItemKey): string => JSON.stringify([pk, sk]);

/** The same table, whose `get` waits for the end of the turn to take others along. As consistent as before: each item as of the request. */
export const readsTogether = (table: DynamoDbTable): Table => {
  let waiting: Asked[] = [];

  const one = async ({ key: { pk, sk }, resolve, reject }: Asked): Promise<void> => {
    try {
      resolve(await table.get(pk, sk));
    } catch (error) {
      reject(error);
    }
  };

  const many = async (asked: readonly Asked[]): Promise<void> => {
    try {
      // A key may be asked for by several; the store refuses to be asked twice.
      const keys = new Map(asked.map(({ key }) => [idOf(key), key]));
      const { items, left } = await table.getMany([...keys.values()]);
      const found = new Map(items.map((item) => [idOf({ pk: String(item['pk']), sk: String(item['sk']) }), item]));
      const unread = new Set(left.map(idOf));
      for (const each of asked)
        if (unread.has(idOf(each.key))) void one(each);
        else each.resolve(found.get(idOf(each.key)));
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  };

  const flush = (): void => {
    const asked = waiting;
    waiting = [];
    for (let from = 0; from < asked.length; from += mostAtOnce) {
      const [first, ...others] = asked.slice(from, from + mostAtOnce);
      if (first !== undefined) void (others.length === 0 ? one(first) : many([first, ...others]));
    }
  };

  return {
    get: (pk, sk) =>
      new Promise((resolve, reject) => {
        expectKey(pk, sk);
        waiting.push({ key: { pk, sk }, resolve, reject });
        if (waiting.length === 1) setImmediate(flush);
      }),
    put: (...given) => table.put(...given),
    update: (...given) => table.update(...given),
    delete: (...given) => table.delete(...given),
    queryPartition: (...given) => table.queryPartition(...given),
    queryDue: (...given) => table.queryDue(...given),
  };
};
