/** Two passes of one object at once, as a visibility time-out that runs out makes them: neither writes over what the other knows. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { edgeKey, edgeSortKey } from '../../../lib/state/keys.ts';
import { type Finished, Records, showDependency } from '../../../lib/state/records.ts';
import type { Table } from '../../../lib/state/table.ts';
import { type StateTables, stateTables } from '../../support/state-table.ts';

const target = { cluster: 'one', kind: 'Image', namespace: 'team', name: 'app' };
const builder = (name: string) => ({ kind: 'Builder', namespace: 'team', name });
const ended = (resourceVersion: string, ...names: readonly string[]): Finished => ({
  resourceVersion,
  epoch: 'e.0',
  attempts: 0,
  dueAt: 9000,
  edges: names.map(builder),
});

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
const hasEdge = async (name: string): Promise<boolean> =>
  (await table.get(edgeKey('one', builder(name)), edgeSortKey(target))) !== undefined;
/** A pass up to its last write. */
const begin = async (...names: readonly string[]) =>
  records.addEdges(target, await records.read(target), names.map(builder));

describe('a pass that ends', () => {
  it('after another has ended writes nothing and says so', async () => {
    const [first, second] = [await begin('a'), await begin('a')];
    expect(await records.finish(target, second, ended('8', 'a'))).toBe(true);
    expect(await records.finish(target, first, ended('7', 'a'))).toBe(false);
    expect(await records.read(target)).toMatchObject({ resourceVersion: '8', edges: [showDependency(builder('a'))] });
  });

  it('deletes no edge that another relies on', async () => {
    await records.finish(target, await begin('old'), ended('6', 'old'));
    const slow = await begin('old');
    await records.finish(target, await begin('new'), ended('8', 'new'));
    const again = await begin('old');
    await records.finish(target, again, ended('9', 'old'));
    expect(await records.finish(target, slow, ended('7', 'other'))).toBe(false);
    expect(await hasEdge('old')).toBe(true);
    expect(await records.read(target)).toMatchObject({ edges: [showDependency(builder('old'))] });
  });

  it('does not write over a wake-up that was parked meanwhile', async () => {
    const slow = await begin('a');
    await records.park(target, 30);
    expect(await records.finish(target, slow, ended('7', 'a'))).toBe(false);
    expect((await records.read(target)).dueAt).toBe(30);
  });

  it('is not hindered by the sweeper, nor by a telling of its dependents', async () => {
    await records.finish(target, await begin('a'), ended('7', 'a'));
    const next = await begin('a');
    await records.postpone({ target, dueAt: 9000 }, 9600);
    await records.beginFan(target, 'hash');
    await records.finishFan(target, 'hash', '7');
    expect(await records.finish(target, next, ended('8', 'a'))).toBe(true);
  });

  it('forgets nothing that another pass has seen again', async () => {
    await records.finish(target, await begin('a'), ended('7', 'a'));
    await records.markGone(target, await records.read(target), 100, 700);
    const gone = await records.read(target);
    await records.finish(target, await begin('a'), ended('8', 'a'));
    await records.forget(target, gone);
    expect(await hasEdge('a')).toBe(true);
    expect(await records.read(target)).toMatchObject({ resourceVersion: '8', edges: [showDependency(builder('a'))] });
  });
});
