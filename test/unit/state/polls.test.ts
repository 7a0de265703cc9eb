import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TargetKey } from '../../../lib/state/keys.ts';
import { hookKey, hookSortKey, recordKey, revisionSortKey } from '../../../lib/state/keys.ts';
import { Polls } from '../../../lib/state/polls.ts';
import type { Table } from '../../../lib/state/table.ts';
import { type StateTables, stateTables } from '../../support/state-table.ts';

const poll: TargetKey = { cluster: 'one', kind: 'GitPoll', namespace: '', name: 'abc' };
const place = 'some-place';
const request = (revision: string, seen = '-') => ({
  revision,
  isNew: true,
  seen,
  secretName: undefined,
  place,
  dueAt: 100,
});

let state: StateTables;
let table: Table;
let polls: Polls;
beforeAll(async () => {
  state = await stateTables();
});
afterAll(() => state[Symbol.asyncDispose]());
beforeEach(async () => {
  table = await state.empty();
  polls = new Polls(table);
});

const known = async (): Promise<readonly TargetKey[]> => (await polls.atPlace(place, 10)).targets;
const all = async () => (await polls.entries(poll, 100)).entries;
const rowOf = async () => {
  const row = await polls.read(poll);
  if (row === undefined) throw new Error('no row');
  return row;
};

describe('what push hooks find a poll by', () => {
  it('is there from the first follower to the last', async () => {
    await polls.watch(poll, request('main'));
    await polls.watch(poll, request('dev'));
    expect(await known()).toEqual([poll]);
    expect(await polls.forget(poll, await rowOf(), await all())).toBe(true);
    expect(await known()).toEqual([]);
    expect(await polls.read(poll)).toBeUndefined();
  });

  it('stays when somebody begins to follow while the row is being given up', async () => {
    await polls.watch(poll, request('main'));
    const [stale, entries] = [await rowOf(), await all()];
    await polls.watch(poll, request('dev'));
    expect(await polls.forget(poll, stale, entries)).toBe(false);
    expect(await known()).toEqual([poll]);
  });

  it('tells polls of all clusters and namespaces apart, page by page', async () => {
    const others = ['two', 'three'].map((cluster) => ({ ...poll, cluster, namespace: 'team' }));
    for (const each of [poll, ...others]) await polls.watch(each, request('main'));
    const seen: TargetKey[] = [];
    let from: string | undefined;
    do {
      const page = await polls.atPlace(place, 1, from);
      seen.push(...page.targets);
      from = page.next;
    } while (from !== undefined);
    expect(seen).toEqual(expect.arrayContaining([poll, ...others]));
    expect(seen).toHaveLength(3);
  });

  it('comes back when the next follower tells of itself, had a death come in between', async () => {
    await polls.watch(poll, request('main'));
    await table.delete(hookKey(place), hookSortKey(poll));
    await polls.watch(poll, request('main'));
    expect(await known()).toEqual([poll]);
  });
});

describe('the revisions of a poll', () => {
  it('are items of their own, told apart and read page by page', async () => {
    const revisions = ['main', 'dev', 'a b', '#', '', 'x'.repeat(1000)];
    for (const revision of revisions) await polls.watch(poll, request(revision));
    const seen: string[] = [];
    let from: string | undefined;
    do {
      const page = await polls.entries(poll, 2, from);
      seen.push(...page.entries.map(({ revision }) => revision));
      from = page.next;
    } while (from !== undefined);
    expect(seen.toSorted()).toEqual(revisions.toSorted());
    expect(await polls.entry(poll, 'dev')).toMatchObject({ revision: 'dev', seen: ['-'], found: undefined });
    expect(await polls.entry(poll, 'other')).toBeUndefined();
  });

  it('keep two of the things that followers saw, which is enough to know that one is behind', async () => {
    for (const seen of ['a', 'b', 'c', 'd', 'a']) await polls.watch(poll, request('main', seen));
    expect((await polls.entry(poll, 'main'))?.seen.toSorted()).toEqual(['a', 'b']);
  });

  it('are not settled over what a follower told meanwhile, be it the third that disagrees', async () => {
    for (const seen of ['a', 'b']) await polls.watch(poll, request('main', seen));
    const [before] = await all();
    if (before === undefined) throw new Error('no entry');
    await polls.watch(poll, request('main', 'late'));
    expect(await polls.settle(poll, before, 'now')).toBe(false);
    expect(await polls.drop(poll, before)).toBe(false);
    const [after] = await all();
    if (after === undefined) throw new Error('no entry');
    expect(await polls.settle(poll, after, 'now')).toBe(true);
    expect((await polls.entry(poll, 'main'))?.seen).toEqual(['now']);
  });

  it('go with the row, and none is left behind; those that came meanwhile stay, and the row with them', async () => {
    await polls.watch(poll, request('main'));
    const [row, entries] = [await rowOf(), await all()];
    await polls.watch(poll, request('dev'));
    expect(await polls.forget(poll, row, entries)).toBe(false);
    expect((await all()).map(({ revision }) => revision)).toEqual(['dev']);
    expect(await polls.forget(poll, await rowOf(), await all())).toBe(true);
    expect((await table.queryPartition(recordKey(poll), { limit: 10 })).items).toEqual([]);
  });

  it('that are given up get no finding, which would bring half of them back', async () => {
    await polls.watch(poll, request('main'));
    const [entry] = await all();
    if (entry === undefined) throw new Error('no entry');
    await polls.drop(poll, entry);
    await polls.saveFound(poll, entry, 'x');
    expect(await table.get(recordKey(poll), revisionSortKey('main'))).toBeUndefined();
  });
});

describe('a full poll', () => {
  it('takes no other revision and writes nothing, but goes on with those it has', async () => {
    const small = new Polls(table, { revisions: 3 });
    for (const revision of ['a', 'b', 'c'])
      await table.put(recordKey(poll), revisionSortKey(revision), { revision, version: 'v' });
    expect(await small.watch(poll, request('one more'))).toBe('full');
    expect(await small.read(poll)).toBeUndefined();
    expect(await small.watch(poll, { ...request('b', 'new'), isNew: false })).toBe('watched');
    expect((await small.entry(poll, 'b'))?.seen).toEqual(['new']);
  });
});

describe('a place with many polls of one namespace', () => {
  it('is not filled for others: what is too much is not heard, and says so until there is room', async () => {
    const nth = (n: number, namespace = 'greedy'): TargetKey => ({ ...poll, namespace, name: `p${n}` });
    const small = new Polls(table, { atPlace: 3 });
    for (let n = 0; n <= 3; n += 1) await small.watch(nth(n), request('main'));
    await small.watch(nth(0, 'modest'), request('main'));
    const { targets } = await small.atPlace(place, 1000);
    expect(targets).toHaveLength(4);
    expect(targets).toContainEqual(nth(0, 'modest'));
    expect((await small.read(nth(3)))?.isUnheard).toBe(true);
    await table.delete(hookKey(place), hookSortKey(nth(1)));
    await small.offerToHooks(nth(3), place);
    expect((await small.read(nth(3)))?.isUnheard).toBe(false);
  });
});
