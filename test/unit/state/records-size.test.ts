/** What one object may leave in the store, and what it is told when that is too much. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { showSlotUser } from '../../../lib/state/keys.ts';
import { Records } from '../../../lib/state/records.ts';
import { type Table, TooLargeError } from '../../../lib/state/table.ts';
import { type StateTables, stateTables } from '../../support/state-table.ts';

const target = { cluster: 'one', kind: 'Builder', namespace: 'team', name: 'b' };
const others = (count: number, length = 20) =>
  Array.from({ length: count }, (_, n) => ({
    kind: 'Buildpack',
    namespace: 'team',
    name: `${n}`.padStart(length, 'x'),
  }));

let state: StateTables;
let table: Table;
let records: Records;
beforeAll(async () => {
  state = await stateTables();
});
afterAll(() => state[Symbol.asyncDispose]());
beforeEach(async () => {
  table = await state.empty();
  records = new Records(table);
});

describe('an object that refers to very many others', () => {
  it('is told so before anything is written, wherever the store has its limit', async () => {
    const adding = records.addEdges(target, await records.read(target), others(5000));
    await expect(adding).rejects.toMatchObject({ name: 'PermanentError', reason: 'TooManyDependencies' });
    expect((await records.read(target)).looseEdges).toEqual([]);
  });

  it('is told so of a single one whose name fits no key', async () => {
    const adding = records.addEdges(target, await records.read(target), others(1, 3000));
    await expect(adding).rejects.toMatchObject({ reason: 'TooManyDependencies' });
  });
});

describe('a pass that leaves very much', () => {
  it('ends all the same: what does not fit is forgotten, which costs reads', async () => {
    const seen = Array.from({ length: 60_000 }, (_, n) => `token-${n}`);
    const end = { resourceVersion: '1', epoch: 'e', attempts: 0, dueAt: 5, edges: undefined };
    await records.finish(target, await records.read(target), { ...end, memory: 'x'.repeat(500_000), seen });
    expect(await records.read(target)).toMatchObject({ resourceVersion: '1', dueAt: 5, memory: undefined, seen: [] });
  });
});

describe('a write that the store does not take', () => {
  it.each([
    ['an item put', () => table.put('object#one#Builder#team#b', 'record', { text: 'x'.repeat(420_000) })],
    [
      'an item changed',
      () => table.update('object#one#Builder#team#b', 'record', { set: { text: 'x'.repeat(420_000) } }),
    ],
    ['a key', () => table.put(`edge#${'x'.repeat(3000)}`, 'a')],
    ['a sort key', () => table.put('object#one#Builder#team#b', 'x'.repeat(2000))],
  ])('for its size, %s, is its author’s affair and no bug, and says of what', async (_, write) => {
    const error: unknown = await write().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TooLargeError);
    expect(String(error)).toMatch(/of (?:object#one#Builder#team#b|edge#x{10,}.*…) is larger/);
  });

  it('does not come of the holders of a cap, however long their names', () => {
    const longest = {
      cluster: 'c'.repeat(100),
      namespace: 'n'.repeat(63),
      name: 'b'.repeat(253),
      uid: '01234567-89ab-cdef-0123-456789abcdef',
    };
    expect(800 * showSlotUser(longest).length).toBeLessThan(400 * 1024 - 10_000);
  });
});
