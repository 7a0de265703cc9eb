import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TargetKey } from '../../../lib/state/keys.ts';
import { hookKey, hookSortKey } from '../../../lib/state/keys.ts';
import { Polls } from '../../../lib/state/polls.ts';
import type { Table } from '../../../lib/state/table.ts';
import { type StateTables, stateTables } from '../../support/state-table.ts';

const poll: TargetKey = { cluster: 'one', kind: 'GitPoll', namespace: '', name: 'abc' };
const place = 'some-place';
const request = (entry: string) => ({ entry, secretName: undefined, place, dueAt: 100 });

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
const rowOf = async () => {
  const row = await polls.read(poll);
  if (row === undefined) throw new Error('no row');
  return row;
};

describe('what push hooks find a poll by', () => {
  it('is there from the first follower to the last', async () => {
    await polls.watch(poll, request('- - main'));
    await polls.watch(poll, request('- - dev'));
    expect(await known()).toEqual([poll]);
    expect(await polls.forget(poll, await rowOf())).toBe(true);
    expect(await known()).toEqual([]);
    expect(await polls.read(poll)).toBeUndefined();
  });

  it('stays when somebody begins to follow while the row is being given up', async () => {
    await polls.watch(poll, request('- - main'));
    const stale = await rowOf();
    await polls.watch(poll, request('- - dev'));
    expect(await polls.forget(poll, stale)).toBe(false);
    expect(await known()).toEqual([poll]);
  });

  it('tells polls of all clusters and namespaces apart, page by page', async () => {
    const others = ['two', 'three'].map((cluster) => ({ ...poll, cluster, namespace: 'team' }));
    for (const each of [poll, ...others]) await polls.watch(each, request('- - main'));
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
    await polls.watch(poll, request('- - main'));
    await table.delete(hookKey(place), hookSortKey(poll));
    await polls.watch(poll, request('- - main'));
    expect(await known()).toEqual([poll]);
  });
});
