/** What the data model needs of DynamoDB (DESIGN §3.4, §3.5, §3.7, §3.8): nothing outside this list may be used. */

import { BatchWriteItemCommand, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { expect } from 'vitest';
import { saysTooLarge } from '../../../lib/state/dynamodb-table.ts';
import { refusalOf } from '../sqs/world.ts';
import type { Check, World } from './world.ts';

const s = (text: string) => ({ S: text });
const n = (value: number | string) => ({ N: String(value) });
const absent = { ConditionExpression: 'attribute_not_exists(pk)' };
const failed = 'ConditionalCheckFailedException';

/** Ascending sort keys that order as text. */
const sortKeys = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, i) => String(i).padStart(3, '0'));

/** All pages of a query, with the length of each. */
const pages = async (world: World, input: Parameters<World['query']>[0]) => {
  const lengths: number[] = [];
  const sks: (string | undefined)[] = [];
  let ExclusiveStartKey: Awaited<ReturnType<World['query']>>['LastEvaluatedKey'];
  do {
    const page = await world.query({ ...input, ExclusiveStartKey });
    lengths.push(page.Items?.length ?? 0);
    sks.push(...(page.Items ?? []).map((item) => item['sk']?.S));
    ({ LastEvaluatedKey: ExclusiveStartKey } = page);
  } while (ExclusiveStartKey !== undefined && lengths.length < 50);
  return { lengths, sks };
};

const dueUntil = (shard: number, until: number) => ({
  IndexName: 'due',
  KeyConditionExpression: 'dueShard = :shard AND dueAt <= :now',
  ExpressionAttributeValues: { ':shard': n(shard), ':now': n(until) },
});

/** A shard of the index no other check uses. */
const newShard = (): number => Math.floor(Math.random() * 1e9);

const conditional: readonly Check[] = [
  {
    name: 'a put that demands absence succeeds once',
    run: async ({ put, newKey, get }) => {
      const pk = newKey();
      await put(pk, 'a', { v: n(1) }, absent);
      expect(await refusalOf(put(pk, 'a', { v: n(2) }, absent))).toBe(failed);
      expect(await get(pk, 'a')).toEqual({ pk: s(pk), sk: s('a'), v: n(1) });
    },
  },
  {
    name: 'of many writers that demand absence exactly one wins',
    run: async ({ put, newKey }) => {
      const pk = newKey();
      const writers = Array.from({ length: 20 }, async (_, i) => put(pk, 'lease', { holder: n(i) }, absent));
      const outcomes = await Promise.allSettled(writers);
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    },
  },
  {
    name: 'an update changes, removes and creates attributes in one write',
    run: async ({ put, update, newKey, get }) => {
      const pk = newKey();
      await put(pk, 'a', { old: n(1), kept: s('k') });
      await update(
        pk,
        'a',
        'SET #n = :v REMOVE #o',
        { ':v': s('new') },
        { ExpressionAttributeNames: { '#n': 'name', '#o': 'old' } },
      );
      expect(await get(pk, 'a')).toEqual({ pk: s(pk), sk: s('a'), kept: s('k'), name: s('new') });
    },
  },
  {
    name: 'an update of what is not there creates it',
    run: async ({ update, newKey, get }) => {
      const pk = newKey();
      await update(pk, 'a', 'SET v = :v', { ':v': n(7) });
      expect(await get(pk, 'a')).toEqual({ pk: s(pk), sk: s('a'), v: n(7) });
    },
  },
  {
    name: 'an update whose condition fails writes nothing',
    run: async ({ put, update, newKey, get }) => {
      const pk = newKey();
      await put(pk, 'a', { dueAt: n(5) });
      const move = async (seen: number) =>
        update(
          pk,
          'a',
          'SET dueAt = :next',
          { ':next': n(9), ':seen': n(seen) },
          { ConditionExpression: 'dueAt = :seen' },
        );
      expect(await refusalOf(move(4))).toBe(failed);
      expect((await get(pk, 'a'))?.['dueAt']).toEqual(n(5));
      await move(5);
      expect((await get(pk, 'a'))?.['dueAt']).toEqual(n(9));
    },
  },
  {
    name: 'conditions combine comparison, absence, membership and size',
    run: async ({ put, update, newKey }) => {
      const pk = newKey();
      await put(pk, 'a', { holders: { SS: ['u1', 'u2'] }, lapses: n(10) });
      const when = async (ConditionExpression: string, values: Record<string, { S: string } | { N: string }>) =>
        update(pk, 'a', 'SET touched = :t', { ':t': n(1), ...values }, { ConditionExpression });
      await when('contains(holders, :u) AND lapses > :n', { ':u': s('u1'), ':n': n(9) });
      await when('attribute_not_exists(gone) OR lapses < :n', { ':n': n(0) });
      await when('size(holders) < :max', { ':max': n(3) });
      expect(await refusalOf(when('size(holders) < :max', { ':max': n(2) }))).toBe(failed);
      expect(await refusalOf(when('contains(holders, :u)', { ':u': s('u3') }))).toBe(failed);
    },
  },
  {
    name: 'a set grows and shrinks in place, and vanishes when empty',
    run: async ({ update, newKey, get }) => {
      const pk = newKey();
      await update(pk, 'a', 'ADD holders :h', { ':h': { SS: ['u1'] } });
      await update(pk, 'a', 'ADD holders :h', { ':h': { SS: ['u2', 'u1'] } });
      expect((await get(pk, 'a'))?.['holders']?.SS?.sort()).toEqual(['u1', 'u2']);
      await update(pk, 'a', 'DELETE holders :h', { ':h': { SS: ['u1', 'u2'] } });
      expect((await get(pk, 'a'))?.['holders']).toBeUndefined();
    },
  },
  {
    name: 'of many writers that add to a set below a size only so many win, and who is in it may again',
    run: async ({ update, newKey, get }) => {
      const pk = newKey();
      const add = (element: string) =>
        update(
          pk,
          'slots',
          'SET v = :v ADD h :e',
          { ':v': s(element), ':e': { SS: [element] }, ':n': n(3), ':m': s(element) },
          { ConditionExpression: '(attribute_not_exists(h) OR size(h) < :n OR contains(h, :m))' },
        );
      const outcomes = await Promise.allSettled(Array.from({ length: 10 }, (_, i) => add(`writer ${i}`)));
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
      const [holder = ''] = (await get(pk, 'slots'))?.['h']?.SS ?? [];
      await add(holder);
      expect((await get(pk, 'slots'))?.['h']?.SS).toHaveLength(3);
      expect(await refusalOf(add('late'))).toBe(failed);
    },
  },
  {
    name: 'numbers are added without losing an update',
    run: async ({ update, newKey, get }) => {
      const pk = newKey();
      await Promise.all(Array.from({ length: 20 }, async () => update(pk, 'a', 'ADD attempts :one', { ':one': n(1) })));
      expect((await get(pk, 'a'))?.['attempts']).toEqual(n(20));
    },
  },
  {
    name: 'an update can answer with the new item',
    run: async ({ update, newKey }) => {
      const pk = newKey();
      const item = await update(pk, 'a', 'SET v = :v', { ':v': n(1) }, { ReturnValues: 'ALL_NEW' });
      expect(item).toEqual({ pk: s(pk), sk: s('a'), v: n(1) });
    },
  },
  {
    name: 'a delete may demand a value, and deleting nothing is fine',
    run: async ({ put, remove, newKey, get }) => {
      const pk = newKey();
      await put(pk, 'a', { v: n(1) });
      const when = (v: number) => ({ ConditionExpression: 'v = :v', ExpressionAttributeValues: { ':v': n(v) } });
      expect(await refusalOf(remove(pk, 'a', when(2)))).toBe(failed);
      await remove(pk, 'a', when(1));
      await remove(pk, 'a');
      expect(await get(pk, 'a')).toBeUndefined();
    },
  },
  {
    name: 'reserved words need an alias',
    run: async ({ update, newKey }) => {
      const pk = newKey();
      expect(await refusalOf(update(pk, 'a', 'SET name = :v', { ':v': n(1) }))).toBe('ValidationException');
    },
  },
];

const queries: readonly Check[] = [
  {
    name: 'a partition is read in the order of its sort keys, page by page',
    run: async (world) => {
      const pk = world.newKey();
      const all = sortKeys(23);
      await world.putAll(
        pk,
        [...all].reverse().map((sk) => ({ sk: s(sk) })),
      );
      const input = {
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': s(pk) },
        ConsistentRead: true,
      };
      const { lengths, sks } = await pages(world, { ...input, Limit: 10 });
      expect(lengths).toEqual([10, 10, 3]);
      expect(sks).toEqual(all);
    },
  },
  {
    name: 'a page begins behind a key that is not there',
    run: async ({ putAll, newKey, query }) => {
      const pk = newKey();
      await putAll(
        pk,
        ['w#a#1', 'w#a#2', 'w#a-b#1', 'w#b#1'].map((sk) => ({ sk: s(sk) })),
      );
      const behind = async (sk: string) => {
        const { Items = [] } = await query({
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': s(pk) },
          ConsistentRead: true,
          Limit: 1,
          ExclusiveStartKey: { pk: s(pk), sk: s(sk) },
        });
        return Items[0]?.['sk']?.S;
      };
      expect([await behind('w#'), await behind('w#a#~'), await behind('w#a-b#~'), await behind('w#b#~')]).toEqual([
        'w#a#1',
        'w#a-b#1',
        'w#b#1',
        undefined,
      ]);
    },
  },
  {
    name: 'a partition is read by prefix and backwards',
    run: async (world) => {
      const pk = world.newKey();
      await world.putAll(
        pk,
        ['Build#a', 'Build#b', 'Image#a'].map((sk) => ({ sk: s(sk) })),
      );
      const { Items = [] } = await world.query({
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
        ExpressionAttributeValues: { ':pk': s(pk), ':prefix': s('Build#') },
        ScanIndexForward: false,
        ConsistentRead: true,
      });
      expect(Items.map((item) => item['sk']?.S)).toEqual(['Build#b', 'Build#a']);
    },
  },
  {
    name: 'the index gives what is due in order of time, keys only, and nothing without a due time',
    run: async (world) => {
      const [pk, shard] = [world.newKey(), newShard()];
      const due = [30, 5, 100, 1].map((dueAt) => ({
        sk: s(`at-${dueAt}`),
        dueShard: n(shard),
        dueAt: n(dueAt),
        more: s('x'),
      }));
      await world.putAll(pk, [...due, { sk: s('never'), dueShard: n(shard) }]);
      const { Items = [] } = await settledQuery(world, dueUntil(shard, 30), ['at-1', 'at-5', 'at-30']);
      expect(Items.map((item) => item['dueAt']?.N)).toEqual(['1', '5', '30']);
      expect(Object.keys(Items[0] ?? {}).sort()).toEqual(['dueAt', 'dueShard', 'pk', 'sk']);
    },
  },
  {
    name: 'an item leaves the index with its due time, and moves in it',
    run: async (world) => {
      const [pk, shard] = [world.newKey(), newShard()];
      const item = (dueAt: number) => ({ dueShard: n(shard), dueAt: n(dueAt) });
      await world.put(pk, 'gone', item(1));
      await world.put(pk, 'moved', item(2));
      await world.put(pk, 'stays', item(3));
      await world.update(pk, 'gone', 'REMOVE dueAt');
      await world.update(pk, 'moved', 'SET dueAt = :later', { ':later': n(50) });
      const { Items = [] } = await settledQuery(world, dueUntil(shard, 10), ['stays']);
      expect(Items.map((one) => one['sk']?.S)).toEqual(['stays']);
    },
  },
  {
    name: 'the index is read page by page, also where due times are equal',
    run: async (world) => {
      const [pk, shard] = [world.newKey(), newShard()];
      await world.putAll(
        pk,
        sortKeys(9).map((sk) => ({ sk: s(sk), dueShard: n(shard), dueAt: n(7) })),
      );
      await settledQuery(world, dueUntil(shard, 7), sortKeys(9));
      const { sks } = await pages(world, { ...dueUntil(shard, 7), Limit: 4 });
      expect(sks.map(String).sort()).toEqual(sortKeys(9));
    },
  },
  {
    name: 'numbers of the index order as numbers',
    run: async (world) => {
      const [pk, shard] = [world.newKey(), newShard()];
      const times = [9, 10, 1_763_724_000, 1_763_724_000.5];
      await world.putAll(
        pk,
        times.map((dueAt) => ({ sk: s(String(dueAt)), dueShard: n(shard), dueAt: n(dueAt) })),
      );
      const { Items = [] } = await settledQuery(world, dueUntil(shard, 2e9), times.map(String));
      expect(Items.map((item) => Number(item['dueAt']?.N))).toEqual(times);
    },
  },
  {
    name: 'the index cannot be read consistently',
    run: async (world) => {
      const read = world.query({ ...dueUntil(1, 1), ConsistentRead: true });
      expect(await refusalOf(read)).toBe('ValidationException');
    },
  },
];

const others: readonly Check[] = [
  {
    name: 'a batch writes and deletes 25 items and no more',
    run: async ({ dynamo, table, newKey, putAll, get }) => {
      const pk = newKey();
      await putAll(
        pk,
        sortKeys(25).map((sk) => ({ sk: s(sk) })),
      );
      const erase = sortKeys(25).map((sk) => ({ DeleteRequest: { Key: { pk: s(pk), sk: s(sk) } } }));
      await dynamo.send(new BatchWriteItemCommand({ RequestItems: { [table]: erase } }));
      expect(await get(pk, '000')).toBeUndefined();
      expect(
        await refusalOf(
          putAll(
            pk,
            sortKeys(26).map((sk) => ({ sk: s(sk) })),
          ),
        ),
      ).toBe('ValidationException');
    },
  },
  {
    name: 'large numbers and non-ASCII text come back as they were',
    run: async ({ put, newKey, get }) => {
      const pk = newKey();
      const item = { big: n('18446744073709551615'), text: s('zürich 😀'), list: { L: [s('a'), { BOOL: true }] } };
      await put(pk, 'ü', item);
      expect(await get(pk, 'ü')).toEqual({ ...item, pk: s(pk), sk: s('ü') });
    },
  },
  {
    name: 'an item has at most 400 KB, and the words for it are those we look for',
    run: async ({ put, update, newKey }) => {
      const text = { S: 'x'.repeat(410_000) };
      for (const write of [
        () => put(newKey(), 'a', { text }),
        () => update(newKey(), 'a', 'SET v = :v', { ':v': text }),
      ]) {
        const error: unknown = await write().catch((thrown: unknown) => thrown);
        expect(error).toMatchObject({ name: 'ValidationException' });
        expect(error instanceof Error && saysTooLarge(error)).toBe(true);
      }
    },
  },
  {
    name: 'a key is not empty',
    run: async ({ put }) => {
      expect(await refusalOf(put('', 'a'))).toBe('ValidationException');
    },
  },
  {
    name: 'a table that does not exist is said to be missing',
    run: async ({ dynamo }) => {
      const read = new GetItemCommand({ TableName: 'kpackless-missing', Key: { pk: s('a'), sk: s('a') } });
      expect(await refusalOf(dynamo.send(read))).toBe('ResourceNotFoundException');
    },
  },
];

/** An index is eventually consistent: looks until it has these sort keys in any order, and gives the last answer when it never has. */
const settledQuery = async (world: World, input: Parameters<World['query']>[0], wanted: readonly string[]) => {
  const deadline = Date.now() + 20_000;
  const all = [...wanted].sort().join();
  for (;;) {
    const answer = await world.query(input);
    const found = (answer.Items ?? []).map((item) => item['sk']?.S ?? '');
    if (found.sort().join() === all || Date.now() > deadline) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

export const dynamoDbChecks: readonly Check[] = [...conditional, ...queries, ...others];
