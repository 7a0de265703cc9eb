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

describe('the largest record that there can be', () => {
  /** Just what `addEdges` takes: 100,000 bytes of edges, each with the longest names. */
  const longest = (letter: string) =>
    Array.from({ length: 297 }, (_, n) => ({
      kind: 'ClusterBuildpack',
      namespace: 'n'.repeat(63),
      name: `${n}`.padStart(253, letter),
    }));
  const biggest = {
    cluster: 'c'.repeat(100),
    kind: 'ClusterBuildpack',
    namespace: 'n'.repeat(63),
    name: 'x'.repeat(253),
  };
  const token = (n: number): string => `${n}`.padStart(12, 't');

  it('fits, with every attribute at its bound, after passes that died between their writes', async () => {
    const end = {
      resourceVersion: '9'.repeat(512),
      epoch: 'e'.repeat(512),
      attempts: 9,
      dueAt: 5,
      memory: 'm'.repeat(50_000),
      seen: Array.from({ length: 2000 }, (_, n) => token(n)),
    };
    await records.addEdges(biggest, await records.read(biggest), longest('a'));
    await records.finish(biggest, await records.read(biggest), { ...end, edges: longest('a') });
    await records.beginFan(biggest, 'h'.repeat(43));
    await records.saveFanCursor(biggest, `exact:${'s'.repeat(900)}`);
    // It wants others, and dies when it has cleared the first ones out of what is relied on, each time.
    for (const letter of ['b', 'c', 'd']) {
      const record = await records.read(biggest);
      const wanted = await records.addEdges(biggest, record, longest(letter));
      await records.markGone(biggest, { ...wanted, looseEdges: [...record.edges, ...wanted.looseEdges] }, 1, 2);
    }
    const ended = await records.read(biggest);
    expect(await records.finish(biggest, ended, { ...end, edges: longest('d') })).toBe(true);
    expect((await records.read(biggest)).edges).toHaveLength(297);
  });

  it('of another namespace’s dependents grows by none of them: each has its own item', async () => {
    await records.finish(biggest, await records.read(biggest), {
      resourceVersion: '1',
      epoch: 'e',
      attempts: 0,
      dueAt: 5,
      edges: [],
    });
    const before = JSON.stringify(await records.read(biggest)).length;
    for (const dependent of others(50))
      await records.addEdges({ cluster: 'one', ...dependent }, await records.read({ cluster: 'one', ...dependent }), [
        biggest,
      ]);
    expect(JSON.stringify(await records.read(biggest))).toHaveLength(before);
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
