/** What the data model needs of the table, whichever adapter serves it (DESIGN §3.4, §3.5, §3.7, §3.8, §3.18). */
import { expect } from 'vitest';
import { type Item, type Table, TooLargeError } from '../../../lib/state/table.ts';

/** A check gets a table with nothing in it under `pk`. */
export interface TableCheck {
  readonly name: string;
  run(table: Table, pk: string): Promise<void>;
}

const keys = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, at) => String(at).padStart(3, '0'));
const setOf = (item: Item | undefined, name: string): readonly string[] =>
  [...((item?.[name] ?? []) as readonly string[])].sort();
const sksOf = (items: readonly object[]): readonly unknown[] => items.map((item) => (item as { sk: unknown }).sk);

export const tableChecks: readonly TableCheck[] = [
  {
    name: 'what was written is read, with its keys',
    run: async (table, pk) => {
      expect(await table.get(pk, 'a')).toBeUndefined();
      await table.put(pk, 'a', { text: 'x', number: 7, set: ['u', 'v'] });
      const { set, ...rest } = (await table.get(pk, 'a')) ?? {};
      expect(rest).toEqual({ pk, sk: 'a', text: 'x', number: 7 });
      expect([...(set as readonly string[])].sort()).toEqual(['u', 'v']);
    },
  },
  {
    name: 'reads at once give each caller what he asked for, also the same twice, and what is not there',
    run: async (table, pk) => {
      await Promise.all(keys(60).map((key) => table.put(pk, key, { is: key })));
      const asked = [...keys(60), '007', 'absent'];
      const read = await Promise.all(asked.map((key) => table.get(pk, key)));
      expect(read.map((item) => item?.['is'])).toEqual([...keys(60), '007', undefined]);
      await Promise.all([table.put(pk, '000', { is: 'new' }), table.put(pk, '001', { is: 'new' })]);
      expect((await Promise.all([table.get(pk, '000'), table.get(pk, '001')])).map((item) => item?.['is'])).toEqual([
        'new',
        'new',
      ]);
    },
  },
  {
    name: 'reads at once fail alone when their own key is too large',
    run: async (table, pk) => {
      await table.put(pk, 'a', { is: 1 });
      const [good, bad] = await Promise.allSettled([table.get(pk, 'a'), table.get(pk, 'x'.repeat(2000))]);
      expect(good).toMatchObject({ value: { is: 1 } });
      expect(bad).toMatchObject({ reason: expect.any(TooLargeError) as unknown });
    },
  },
  {
    name: 'a put replaces the whole item',
    run: async (table, pk) => {
      await table.put(pk, 'a', { old: 1 });
      await table.put(pk, 'a', { fresh: 2 });
      expect(await table.get(pk, 'a')).toEqual({ pk, sk: 'a', fresh: 2 });
    },
  },
  {
    name: 'an update sets, removes and adds in one write, and makes what is not there',
    run: async (table, pk) => {
      expect(await table.update(pk, 'a', { set: { one: 'x', gone: undefined }, add: { set: ['u'] } })).toBe(true);
      expect(await table.update(pk, 'a', { set: { two: 2 }, remove: ['one'], add: { set: ['u', 'v'] } })).toBe(true);
      const { set, ...rest } = (await table.get(pk, 'a')) ?? {};
      expect(rest).toEqual({ pk, sk: 'a', two: 2 });
      expect([...(set as readonly string[])].sort()).toEqual(['u', 'v']);
    },
  },
  {
    name: 'a set that becomes empty is no attribute any more',
    run: async (table, pk) => {
      await table.put(pk, 'a', { set: ['u'], kept: 1 });
      await table.update(pk, 'a', { set: { set: [] } });
      expect(await table.get(pk, 'a')).toEqual({ pk, sk: 'a', kept: 1 });
    },
  },
  {
    name: 'an update whose expectation fails writes nothing and says so',
    run: async (table, pk) => {
      await table.put(pk, 'a', { dueAt: 5 });
      expect(await table.update(pk, 'a', { set: { dueAt: 9 }, expect: { dueAt: 4 } })).toBe(false);
      expect(await table.update(pk, 'a', { set: { dueAt: 9 }, expect: { dueAt: undefined } })).toBe(false);
      expect(await table.update(pk, 'b', { set: { dueAt: 9 }, expect: { dueAt: 5 } })).toBe(false);
      expect(await table.get(pk, 'b')).toBeUndefined();
      expect((await table.get(pk, 'a'))?.['dueAt']).toBe(5);
      expect(await table.update(pk, 'a', { set: { dueAt: 9 }, expect: { dueAt: 5, other: undefined } })).toBe(true);
      expect((await table.get(pk, 'a'))?.['dueAt']).toBe(9);
    },
  },
  {
    name: 'a number is put off by what the item says, or by what is usual',
    run: async (table, pk) => {
      await table.put(pk, 'a', { dueAt: 5, restSeconds: 86_000 });
      await table.put(pk, 'b', { dueAt: 5 });
      const later = { dueAt: { than: 1000, by: 'restSeconds', orBy: 600 } };
      expect(await table.update(pk, 'a', { later, expect: { dueAt: 4 } })).toBe(false);
      for (const sk of ['a', 'b']) expect(await table.update(pk, sk, { later, expect: { dueAt: 5 } })).toBe(true);
      expect(await table.get(pk, 'a')).toEqual({ pk, sk: 'a', dueAt: 87_000, restSeconds: 86_000 });
      expect(await table.get(pk, 'b')).toEqual({ pk, sk: 'b', dueAt: 1600 });
    },
  },
  {
    name: 'a number and the text of a number are not the same',
    run: async (table, pk) => {
      await table.put(pk, 'a', { value: '5' });
      expect(await table.update(pk, 'a', { set: { value: 'x' }, expect: { value: 5 } })).toBe(false);
    },
  },
  {
    name: 'of many who expect absence exactly one wins',
    run: async (table, pk) => {
      const tries = Array.from({ length: 20 }, (_, at) =>
        table.update(pk, 'lease', { set: { holder: at }, expect: { holder: undefined } }),
      );
      expect((await Promise.all(tries)).filter(Boolean)).toHaveLength(1);
    },
  },
  {
    name: 'a set takes no more than there is room for, and who is in it already',
    run: async (table, pk) => {
      const enter = (element: string): Promise<boolean> =>
        table.update(pk, 'slots', { add: { held: [element] }, room: { attribute: 'held', below: 2, element } });
      expect([await enter('a'), await enter('b'), await enter('c'), await enter('a')]).toEqual([
        true,
        true,
        false,
        true,
      ]);
    },
  },
  {
    name: 'many who enter a set at once are all in it',
    run: async (table, pk) => {
      const all = keys(30);
      await Promise.all(all.map((element) => table.update(pk, 'a', { add: { set: [element] } })));
      expect(setOf(await table.get(pk, 'a'), 'set')).toEqual(all);
    },
  },
  {
    name: 'a delete obeys its expectation, and deleting what is not there is fine',
    run: async (table, pk) => {
      await table.put(pk, 'a', { goneAt: 5 });
      expect(await table.delete(pk, 'a', { attribute: 'goneAt', value: 4 })).toBe(false);
      expect(await table.delete(pk, 'a', { attribute: 'goneAt', value: 5 })).toBe(true);
      expect(await table.delete(pk, 'a', { attribute: 'goneAt', value: 5 })).toBe(false);
      expect(await table.delete(pk, 'a')).toBe(true);
    },
  },
  {
    name: 'a partition is read in the order of its sort keys, byte by byte, page by page, and nothing of its neighbours',
    run: async (table, pk) => {
      for (const sk of ['b', 'B', 'a#z', 'a', 'ä', '~', '𐀀', '']) if (sk !== '') await table.put(pk, sk);
      await table.put(`${pk}x`, 'c');
      const seen: unknown[] = [];
      let from: string | undefined;
      do {
        const page = await table.queryPartition(pk, { limit: 3, from });
        expect(page.items.length).toBeLessThanOrEqual(3);
        seen.push(...sksOf(page.items));
        from = page.next;
      } while (from !== undefined);
      expect(seen).toEqual(['B', 'a', 'a#z', 'b', '~', 'ä', '𐀀']);
    },
  },
  {
    name: 'what is due in a shard comes in the order of its time, in pages, and what is not due does not',
    run: async (table, pk) => {
      const shard = 1_000_000 + Math.floor(Math.random() * 1e9);
      const due = [7, 3, 5, 3, 11];
      for (const [at, dueAt] of due.entries()) await table.put(`${pk}#${at}`, 'record', { dueShard: shard, dueAt });
      await table.put(`${pk}#none`, 'record', { dueShard: shard });
      const seen: number[] = [];
      let after: { readonly pk: string; readonly sk: string; readonly dueAt: number } | undefined;
      for (;;) {
        const items = await table.queryDue(shard, 10, { limit: 2, after });
        const last = items.at(-1);
        if (last === undefined) break;
        seen.push(...items.map((item) => item['dueAt'] as number));
        after = { pk: String(last['pk']), sk: String(last['sk']), dueAt: Number(last['dueAt']) };
      }
      expect(seen).toEqual([3, 3, 5, 7]);
    },
  },
  {
    name: 'a page of what is due goes on behind one that has been moved since, or is gone',
    run: async (table, pk) => {
      const shard = 1_000_000 + Math.floor(Math.random() * 1e9);
      for (const dueAt of [1, 2, 3, 4, 5]) await table.put(`${pk}#${dueAt}`, 'record', { dueShard: shard, dueAt });
      const first = await table.queryDue(shard, 10, { limit: 2 });
      const after = { pk: `${pk}#2`, sk: 'record', dueAt: 2 };
      for (const item of first)
        await table.update(String(item['pk']), 'record', {
          set: { dueAt: 600 },
          expect: { dueAt: item['dueAt'] as number, dueShard: shard },
        });
      const second = await table.queryDue(shard, 10, { limit: 2, after });
      await table.delete(`${pk}#4`, 'record');
      const last = { pk: `${pk}#4`, sk: 'record', dueAt: 4 };
      const third = await table.queryDue(shard, 10, { limit: 2, after: last });
      expect([first, second, third].map((page) => page.map((item) => item['dueAt']))).toEqual([[1, 2], [3, 4], [5]]);
    },
  },
  {
    name: 'shards of the index are as many as there are numbers, and each is read to its end whatever the time',
    run: async (table, pk) => {
      const shard = 2 ** 31 + Math.floor(Math.random() * 1000);
      await table.put(pk, 'record', { dueShard: shard, dueAt: 4_000_000_000 });
      expect(await table.queryDue(shard, Number.MAX_SAFE_INTEGER, { limit: 5 })).toMatchObject([
        { pk, dueShard: shard },
      ]);
      expect(await table.queryDue(shard + 1, Number.MAX_SAFE_INTEGER, { limit: 5 })).toEqual([]);
    },
  },
  {
    name: 'what is no longer due leaves the index',
    run: async (table, pk) => {
      const shard = 1_000_000 + Math.floor(Math.random() * 1e9);
      await table.put(pk, 'record', { dueShard: shard, dueAt: 3, kept: 'x' });
      await table.update(pk, 'record', { set: { dueAt: 20 } });
      expect(await table.queryDue(shard, 10, { limit: 5 })).toEqual([]);
      await table.update(pk, 'record', { remove: ['dueAt', 'dueShard'] });
      expect(await table.queryDue(shard, 30, { limit: 5 })).toEqual([]);
      expect(await table.get(pk, 'record')).toEqual({ pk, sk: 'record', kept: 'x' });
    },
  },
  {
    name: 'what does not fit is refused by its name, an item above 400 KB and a key that is too long',
    run: async (table, pk) => {
      const large = 'x'.repeat(410 * 1024);
      await expect(table.put(pk, 'a', { large })).rejects.toThrow(TooLargeError);
      await table.put(pk, 'a', { small: 1 });
      await expect(table.update(pk, 'a', { set: { large } })).rejects.toThrow(TooLargeError);
      expect(await table.get(pk, 'a')).toEqual({ pk, sk: 'a', small: 1 });
      await expect(table.get(pk, 'k'.repeat(1025))).rejects.toThrow(TooLargeError);
      await expect(table.put('k'.repeat(2049), 'a')).rejects.toThrow(TooLargeError);
      await table.put(pk, 'fits', { text: 'x'.repeat(390 * 1024) });
    },
  },
  {
    name: 'text of any kind comes back as it was',
    run: async (table, pk) => {
      const odd = ['', ' ', '"quoted"', 'zwei\nZeilen', '\u0000', 'ä𐀀', '{"json":true}'].filter((text) => text !== '');
      await table.put(pk, 'a', Object.fromEntries(odd.map((text, at) => [`a${at}`, text])));
      expect(await table.get(pk, 'a')).toMatchObject(Object.fromEntries(odd.map((text, at) => [`a${at}`, text])));
    },
  },
];
