/** The table as a process reaches it: each call may fail. */
import type { DynamoDbTable } from '../../../lib/state/dynamodb-table.ts';
import { type Item, StateError, type Table } from '../../../lib/state/table.ts';
import type { Calls } from '../calls.ts';
import type { Dice } from '../dice.ts';

const shown = (pk: string, sk: string): string => `${pk} ${sk}`;

/** Whether an item has another place in the index `due`: its old one goes and the new one comes. */
const isMoved = (before: Item | undefined, after: Item | undefined): boolean =>
  before?.['dueAt'] !== after?.['dueAt'] || before?.['dueShard'] !== after?.['dueShard'];

type Ask = <T>(name: string, isWrite: boolean, carryOut: () => Promise<T>) => Promise<T>;

const askedBy =
  (calls: Calls): Ask =>
  <T>(name: string, isWrite: boolean, carryOut: () => Promise<T>): Promise<T> =>
    calls.make({
      port: 'table',
      name,
      isWrite,
      deadlineSeconds: 5,
      carryOut,
      failing: () => new StateError('the table does not answer'),
    });

export const spoiltTable = (table: Table, calls: Calls): Table => {
  const ask = askedBy(calls);
  return {
    get: (pk, sk) => ask(`get ${shown(pk, sk)}`, false, () => table.get(pk, sk)),
    put: (pk, sk, item) => ask(`put ${shown(pk, sk)}`, true, () => table.put(pk, sk, item)),
    update: (pk, sk, change) => {
      const { role } = calls;
      return ask(`update ${shown(pk, sk)}`, true, async () => {
        if (calls.told === undefined) return table.update(pk, sk, change);
        const before = await table.get(pk, sk);
        const isDone = await table.update(pk, sk, change);
        if (isMoved(before, await table.get(pk, sk))) calls.note(`${role} index ${shown(pk, sk)}`, 'moved');
        return isDone;
      });
    },
    delete: (pk, sk, expect) => ask(`delete ${shown(pk, sk)}`, true, () => table.delete(pk, sk, expect)),
    queryPartition: (pk, page) => ask(`query ${pk}`, false, () => table.queryPartition(pk, page)),
    queryDue: (shard, now, page) => ask(`due ${shard}`, false, () => table.queryDue(shard, now, page)),
  };
};

/** So often the store has no time for one of several items. */
const leftOut = 0.1;

/** The same as DynamoDB's, of which several items can be read at once. */
export const spoiltDynamoDb = (table: Table, calls: Calls, dice: Dice): DynamoDbTable => {
  const ask = askedBy(calls);
  const getMany: DynamoDbTable['getMany'] = (keys) =>
    ask(`get ${keys.map(({ pk }) => pk.replace('object#chaos#', '')).join(', ')}`, false, async () => {
      const name = keys.map(({ pk, sk }) => shown(pk, sk)).join(' ');
      const left = dice.chance(`left ${name}`) < leftOut ? keys.slice(-1) : [];
      const read = await Promise.all(keys.filter((key) => !left.includes(key)).map(({ pk, sk }) => table.get(pk, sk)));
      return { items: read.filter((item) => item !== undefined), left };
    });
  // What joins reads uses nothing else of it.
  return { ...spoiltTable(table, calls), getMany } as unknown as DynamoDbTable;
};
