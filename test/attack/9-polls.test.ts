/** Attacks on shared polls: what one tenant follows, or how, stops the polls of others (DESIGN §3.17, §3.32). */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { GitError } from '../../lib/git/errors.ts';
import type { RefLister } from '../../lib/git/list-refs.ts';
import { recordKey, recordSortKey, revisionSortKey, type TargetKey } from '../../lib/state/keys.ts';
import { Polls } from '../../lib/state/polls.ts';
import type { Table } from '../../lib/state/table.ts';
import { type SourceWorld, sourceWorld } from '../support/source-world.ts';
import { type StateTables, stateTables } from '../support/state-table.ts';

const id = (digit: string): string => digit.repeat(40);
const URL = 'https://github.com/acme/shop';
const git = (revision = 'main') => ({ git: { url: URL, revision } });
const heads = (digit: string, ...names: readonly string[]) =>
  names.map((name) => ({ name: `refs/heads/${name}`, hash: id(digit) }));

/** Of an installation in small: passes over thousands take minutes here. */
const limits = { revisions: 30 };
let state: StateTables;
let table: Table;
let w: SourceWorld;
beforeAll(async () => {
  state = await stateTables();
});
afterAll(() => state[Symbol.asyncDispose]());
beforeEach(async () => {
  table = await state.empty();
  w = sourceWorld(table, { limits });
  w.host(URL, heads('1', 'main'));
});

const follow = async (name: string, namespace: string, revision = 'main'): Promise<void> => {
  w.apply(name, git(revision), { namespace });
  await w.resolve(name, { namespace });
};
const pollOf = async (namespace: string): Promise<TargetKey> => {
  w.later(60);
  const due = (await w.due()).map(({ target }) => target);
  const found = due.find((target) => target.kind === 'GitPoll' && target.namespace === namespace);
  if (found === undefined) throw new Error(`no poll of ${namespace} is due`);
  return found;
};
/** Revisions that somebody follows, without the passes that would have made them so. */
const fill = async (poll: TargetKey, count: number, revision: (n: number) => string): Promise<void> => {
  for (let n = 0; n < count; n += 1) {
    const item = { revision: revision(n), seen: ['-'], version: 'v' };
    await table.put(recordKey(poll), revisionSortKey(revision(n)), item);
  }
};

describe('a tenant who follows thousands of revisions of a repository', () => {
  it('is told that the poll is full and what to do, has his commit all the same, and the poll goes on', async () => {
    await follow('first', 'greedy');
    const poll = await pollOf('greedy');
    await fill(poll, limits.revisions, (n) => `b${n}`);
    w.host(URL, heads('1', 'main', 'late'));
    w.apply('late', git('late'), { namespace: 'greedy' });
    expect(await w.resolve('late', { namespace: 'greedy' })).toBe('settled');
    expect(w.statusOf('late', 'greedy')).toMatchObject({
      conditions: [
        { type: 'Ready', status: 'True' },
        {
          type: 'ActivePolling',
          status: 'False',
          reason: 'TooManyFollowed',
          message: expect.stringMatching(/namespace greedy follows 1000 other revisions of .*shop.*delete/) as string,
        },
      ],
      source: { git: { revision: id('1') } },
    });
    expect(await w.poll(poll)).toBe('unchanged');
  });

  it('fills nothing for another namespace that follows the same repository', async () => {
    await follow('first', 'greedy');
    await fill(await pollOf('greedy'), limits.revisions, (n) => `b${n}`);
    await follow('shop', 'modest');
    expect(w.statusOf('shop', 'modest')).toMatchObject({ conditions: [{ status: 'True' }, { status: 'True' }] });
    w.host(URL, heads('2', 'main'));
    w.asked.splice(0);
    expect(await w.poll(await pollOf('modest'))).toBe('moved');
    expect(w.asked[0]?.prefixes).toEqual(['refs/heads/main', 'refs/tags/main', 'refs/main', 'refs/remotes/main']);
    expect(w.woken()).toEqual(['source-resolver dependency shop']);
  });

  it('may give each a name of a thousand letters: no item grows with them', async () => {
    await follow('first', 'greedy');
    const poll = await pollOf('greedy');
    const long = (n: number): string => `${n}-${'ü'.repeat(990)}`;
    // Two hundred of them made the one item of old too large.
    await fill(poll, 210, long);
    const unlimited = new Polls(table);
    const request = { revision: long(210), isNew: true, seen: '-', secretName: undefined, place: 'p', dueAt: 1 };
    expect(await unlimited.watch(poll, request)).toBe('watched');
    expect(await w.poll(poll)).toBe('unchanged');
    const row = await table.get(recordKey(poll), recordSortKey);
    expect(JSON.stringify(row).length).toBeLessThan(1000);
  });

  it('costs one write a listing once it is known where they are, and only what moved is written', async () => {
    await follow('first', 'greedy');
    const poll = await pollOf('greedy');
    await fill(poll, 25, (n) => `b${n}`);
    await w.poll(poll);
    const written: string[] = [];
    const update = table.update.bind(table);
    table.update = (pk, sk, change) => {
      written.push(sk);
      return update(pk, sk, change);
    };
    w.later(60);
    const page = { ...poll, namespace: '', name: 'every-60.0' };
    expect(await w.poll(page)).toBe('unchanged');
    expect(written.splice(0)).toEqual([recordSortKey]);
    w.host(URL, heads('2', 'main'));
    w.later(60);
    expect(await w.poll(page)).toBe('moved');
    expect(written.filter((sk) => sk !== recordSortKey)).toEqual([revisionSortKey('main'), revisionSortKey('main')]);
  });
});

describe('a tenant whose SourceResolvers come and go', () => {
  it('holds up no poll of another namespace by followers that are stale', async () => {
    for (let n = 0; n < 5; n += 1) await follow(`stale${n}`, 'aaa');
    await follow('shop', 'victim');
    for (let n = 0; n < 5; n += 1)
      w.apply(
        `stale${n}`,
        { git: { url: 'https://elsewhere/r', revision: 'main' } },
        { namespace: 'aaa', generation: 2 },
      );
    expect(await w.poll(await pollOf('victim'))).toBe('unchanged');
  });
});

describe('a tenant whose hosts do not answer', () => {
  it('holds up nobody who lies in the same page, and leaves it', async () => {
    const heard: string[] = [];
    let isHanging = false;
    const listRefs: RefLister = async ({ url }) => {
      if (isHanging && url.host.startsWith('hangs')) {
        await new Promise((resolve) => {
          setTimeout(resolve, 100);
        });
        heard.push('greedy');
        throw new GitError('timeout', 'nothing was heard', { host: url.host, heard: 'nothing' });
      }
      if (isHanging) heard.push('modest');
      return heads('1', 'main');
    };
    w = sourceWorld(table, { limits, listRefs });
    const put = async (namespace: string, name: string, url: string): Promise<void> => {
      w.apply(name, { git: { url, revision: 'main' } }, { namespace });
      await w.resolve(name, { namespace });
    };
    for (let n = 0; n < 60; n += 1) await put('greedy', `g${n}`, `https://hangs${n % 30}.example/r${n}`);
    for (let n = 0; n < 10; n += 1) await put('modest', `m${n}`, `https://github.com/acme/r${n}`);
    w.later(63);
    for (const { target } of await w.due()) if (target.kind === 'GitPoll') await w.poll(target);
    const page = { cluster: w.cluster, kind: 'GitPoll', namespace: '', name: 'every-60.0' };
    expect((await w.pages.read(page)).rows).toHaveLength(70);
    isHanging = true;
    w.later(63);
    expect(await w.poll(page)).toBe('failed');
    // Of sixteen places that hang none was waited for.
    expect(heard.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 'modest'));
    expect((await w.pages.read(page)).rows.map(({ poll: { namespace } }) => namespace)).toEqual(
      Array.from({ length: 10 }, () => 'modest'),
    );
  });
});

describe('a host that answers differently each time', () => {
  it('makes no entry grow, whatever its followers see', async () => {
    w.apply('app', git(), { annotations: { 'image.kpack.io/pollInterval': '0' } });
    await w.resolve('app');
    const poll = { cluster: w.cluster, kind: 'GitPoll', namespace: 'team', name: 'p' };
    const request = { revision: 'main', isNew: false, secretName: undefined, place: 'p', dueAt: 1 };
    for (let n = 0; n < 50; n += 1) await w.polls.watch(poll, { ...request, seen: `${n}`.padStart(40, '0') });
    expect(JSON.stringify(await w.polls.entry(poll, 'main')).length).toBeLessThan(300);
  });
});

describe('a move of many revisions that is cut off', () => {
  it('goes on with those that were not woken, and wakes nobody else again', async () => {
    const names = ['a', 'b', 'c', 'd'];
    w.host(URL, heads('1', ...names));
    for (const name of names) await follow(name, 'team', name);
    const poll = await pollOf('team');
    await w.poll(poll);
    w.woken();
    w.host(URL, heads('2', ...names));
    const settle = w.polls.settle.bind(w.polls);
    w.polls.settle = (target, entry, seen) =>
      entry.revision === 'c' ? Promise.reject(new Error('killed')) : settle(target, entry, seen);
    w.later(60);
    await expect(w.poll(poll)).rejects.toThrow('killed');
    w.polls.settle = settle;
    expect(w.woken()).toHaveLength(4);
    w.later(60);
    expect(await w.poll(poll)).toBe('moved');
    expect(w.woken()).toEqual(['source-resolver dependency c']);
    w.later(60);
    expect(await w.poll(poll)).toBe('unchanged');
  });
});
