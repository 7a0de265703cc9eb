/** The table of lib/state/keys.ts in SQLite, for standalone mode: the same port as DynamoDB's, held to the same contract suite. */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import {
  type Attribute,
  type Change,
  expectKey,
  type Item,
  mostItemBytes,
  type Page,
  type Table,
  TooLargeError,
} from '../state/table.ts';

type Attributes = Record<string, Attribute>;

/** An item as it lies in the file. */
export interface Row {
  readonly pk: string;
  readonly sk: string;
  readonly due_shard: number | null;
  readonly due_at: number | null;
  readonly attributes: string;
}

const isSet = (value: Attribute | undefined): value is readonly string[] => typeof value === 'object';
const setIn = (attributes: Attributes, name: string): readonly string[] => {
  const value = attributes[name];
  return isSet(value) ? value : [];
};

const attributesOf = ({ due_shard: dueShard, due_at: dueAt, attributes }: Row): Attributes => ({
  ...(JSON.parse(attributes) as Attributes),
  ...(dueShard === null ? {} : { dueShard }),
  ...(dueAt === null ? {} : { dueAt }),
});
/** The item in a row. */
export const itemOf = (row: Row): Item => ({ ...attributesOf(row), pk: row.pk, sk: row.sk });

/** Whether a conditional change may be made of what is there. */
const allows = (found: Attributes, { expect = {}, room }: Change): boolean =>
  Object.entries(expect).every(([name, value]) => found[name] === value) &&
  (room === undefined ||
    setIn(found, room.attribute).length < room.below ||
    setIn(found, room.attribute).includes(room.element));

/** What a change makes of what is there. An empty set is no attribute, as in DynamoDB. */
const changed = (found: Attributes, { set = {}, remove = [], add = {}, later = {} }: Change): Attributes => {
  const next = new Map(Object.entries(found));
  for (const name of remove) next.delete(name);
  for (const [name, value] of Object.entries(set))
    if (value === undefined || (isSet(value) && value.length === 0)) next.delete(name);
    else next.set(name, isSet(value) ? [...new Set(value)] : value);
  for (const [name, more] of Object.entries(add))
    if (more.length > 0) next.set(name, [...new Set([...setIn(found, name), ...more])]);
  for (const [name, { than, by, orBy }] of Object.entries(later)) next.set(name, than + Number(found[by] ?? orBy));
  return Object.fromEntries(next);
};

const isEmpty = ({ set = {}, remove = [], add = {}, later = {} }: Change): boolean =>
  [set, remove, later].every((part) => Object.keys(part).length === 0) &&
  Object.values(add).every((more) => more.length === 0);

/** The columns of a row. */
export const rowColumns = 'pk, sk, due_shard, due_at, attributes';

/**
 * A table in `database`. No call waits for anything but the disk's cache, so none needs a deadline. A change reads and writes without a
 * transaction around both: nobody comes in between, as the file is this process's alone and the call does not wait, and its one write is whole.
 */
export const sqliteTable = (database: DatabaseSync): Table => {
  const statements = new Map<string, StatementSync>();
  const prepared = (sql: string): StatementSync => {
    const known = statements.get(sql) ?? database.prepare(sql);
    statements.set(sql, known);
    return known;
  };
  const rows = (sql: string, ...values: readonly SQLInputValue[]): readonly Row[] =>
    prepared(`SELECT ${rowColumns} FROM item ${sql}`).all(...values) as unknown as readonly Row[];
  const find = (pk: string, sk: string): Row | undefined => {
    expectKey(pk, sk);
    return rows('WHERE pk = ? AND sk = ?', pk, sk)[0];
  };
  const write = (pk: string, sk: string, { dueShard, dueAt, ...rest }: Attributes): void => {
    const { pk: _pk, sk: _sk, ...attributes } = rest;
    const text = JSON.stringify(attributes);
    // As DynamoDB would: what fits here must fit there.
    if (Buffer.byteLength(text) > mostItemBytes) throw new TooLargeError(pk);
    prepared(`INSERT OR REPLACE INTO item (${rowColumns}) VALUES (?, ?, ?, ?, ?)`).run(
      pk,
      sk,
      typeof dueShard === 'number' ? dueShard : null,
      typeof dueAt === 'number' ? dueAt : null,
      text,
    );
  };

  const update = (pk: string, sk: string, change: Change): boolean => {
    if (isEmpty(change)) return true;
    const row = find(pk, sk);
    const found = row === undefined ? {} : attributesOf(row);
    if (!allows(found, change)) return false;
    write(pk, sk, changed(found, change));
    return true;
  };

  return {
    get: async (pk, sk) => {
      const row = find(pk, sk);
      return row === undefined ? undefined : itemOf(row);
    },
    put: async (pk, sk, item = {}) => {
      expectKey(pk, sk);
      write(pk, sk, changed({}, { set: item }));
    },
    update: async (pk, sk, change) => update(pk, sk, change),
    delete: async (pk, sk, expect) => {
      const row = find(pk, sk);
      if (expect !== undefined && (row === undefined || attributesOf(row)[expect.attribute] !== expect.value))
        return false;
      prepared('DELETE FROM item WHERE pk = ? AND sk = ?').run(pk, sk);
      return true;
    },
    queryPartition: async (pk, { limit, from }): Promise<Page> => {
      expectKey(pk, from);
      const found = rows('WHERE pk = ? AND sk > ? ORDER BY sk LIMIT ?', pk, from ?? '', limit + 1);
      const items = found.slice(0, limit).map(itemOf);
      return { items, next: found.length > limit ? found[limit - 1]?.sk : undefined };
    },
    queryDue: async (shard, now, { limit, after }) =>
      rows(
        'WHERE due_shard = ? AND due_at <= ? AND (due_at, pk, sk) > (?, ?, ?) ORDER BY due_at, pk, sk LIMIT ?',
        shard,
        now,
        after?.dueAt ?? Number.MIN_SAFE_INTEGER,
        after?.pk ?? '',
        after?.sk ?? '',
        limit,
      ).map(itemOf),
  };
};

/** Removes what may be dropped at `now` (Unix seconds), as DynamoDB's time to live does; gives how many. Looks at every item: once an hour is enough. */
export const dropEnded = (database: DatabaseSync, now: number): number =>
  Number(database.prepare("DELETE FROM item WHERE attributes ->> '$.endsAt' <= ?").run(now).changes);
