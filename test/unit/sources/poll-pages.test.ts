/** Polls that are due together: what a round of a page asks, writes, and leaves to others (docs/decisions/0015-pages-of-polls.md). */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { recordKey, recordSortKey, rowSortKey, type TargetKey } from '../../../lib/state/keys.ts';
import { pageIn } from '../../../lib/state/poll-pages.ts';
import type { Table } from '../../../lib/state/table.ts';
import { type SourceWorld, sourceWorld } from '../../support/source-world.ts';
import { type StateTables, stateTables } from '../../support/state-table.ts';

const id = (digit: string): string => digit.repeat(40);
const main = (digit: string) => [{ name: 'refs/heads/main', hash: id(digit) }];
const urlOf = (name: string): string => `https://github.com/o/${name}`;

let state: StateTables;
let table: Table;
let w: SourceWorld;
beforeAll(async () => {
  state = await stateTables();
});
afterAll(() => state[Symbol.asyncDispose]());
beforeEach(async () => {
  table = await state.empty();
  w = sourceWorld(table);
});

const duePolls = async (): Promise<readonly TargetKey[]> =>
  (await w.due()).map(({ target }) => target).filter(({ kind }) => kind === 'GitPoll');

/** SourceResolvers of repositories of their own, each resolved. */
const follow = async (namespace: string, ...names: readonly string[]): Promise<void> => {
  for (const name of names) {
    w.host(urlOf(name), main('1'));
    w.apply(name, { git: { url: urlOf(name), revision: 'main' } }, { namespace });
    await w.resolve(name, { namespace });
  }
};
/** All of them, once each has been listed by itself. */
const settle = async (): Promise<readonly TargetKey[]> => {
  w.later(63);
  const polls = (await duePolls()).filter((target) => pageIn(target) === undefined);
  for (const poll of polls) expect(await w.poll(poll)).toBe('unchanged');
  return polls;
};
const onlyPage = async (): Promise<TargetKey> => {
  w.later(63);
  const [page, ...others] = await duePolls();
  expect(others).toEqual([]);
  if (page === undefined) throw new Error('nothing is due');
  expect(pageIn(page)).toBeDefined();
  return page;
};
/** What is written while something is done, as sort keys. */
const written = async (act: () => Promise<unknown>): Promise<readonly string[]> => {
  const found: string[] = [];
  const [update, put, remove] = [table.update.bind(table), table.put.bind(table), table.delete.bind(table)];
  table.update = (...given) => {
    found.push(given[1]);
    return update(...given);
  };
  table.put = (...given) => {
    found.push(given[1]);
    return put(...given);
  };
  table.delete = (...given) => {
    found.push(given[1]);
    return remove(...given);
  };
  await act();
  Object.assign(table, { update, put, delete: remove });
  return found;
};

describe('a page of polls', () => {
  it('takes in what has nothing to do: one is due for all, asks each host once, and one item is written', async () => {
    await follow('team', 'a', 'b', 'c');
    await follow('other', 'd', 'e');
    const polls = await settle();
    expect(polls).toHaveLength(5);
    for (let round = 0; round < 3; round += 1) {
      const page = await onlyPage();
      w.asked.splice(0);
      expect(await written(() => w.poll(page))).toEqual([recordSortKey]);
      expect(w.asked.map(({ url }) => url.display).toSorted()).toEqual(['a', 'b', 'c', 'd', 'e'].map(urlOf));
    }
    expect(w.woken()).toEqual([]);
  });

  it('wakes the poll of a repository that moved, which wakes its followers and comes back', async () => {
    await follow('team', 'a', 'b');
    await settle();
    w.host(urlOf('b'), main('2'));
    expect(await w.poll(await onlyPage())).toBe('moved');
    expect(w.woken()).toEqual(['source-resolver dependency b']);
    await w.resolve('b', { reasons: ['dependency'] });
    expect(w.statusOf('b')).toHaveProperty('source.git.revision', id('2'));
    expect(await w.poll(await onlyPage())).toBe('unchanged');
  });

  it('wakes it again in the next round when the message to it was lost', async () => {
    await follow('team', 'a');
    await settle();
    w.host(urlOf('a'), main('2'));
    const page = await onlyPage();
    expect(await w.round(page)).toBe('moved');
    expect(w.woken()).toHaveLength(1);
    expect(await w.round(await onlyPage())).toBe('moved');
    expect(w.woken()).toHaveLength(1);
  });

  it('answers followers that look by themselves as long as the round is fresh', async () => {
    await follow('team', 'a');
    await settle();
    for (let round = 0; round < 3; round += 1) await w.poll(await onlyPage());
    w.asked.splice(0);
    await w.resolve('a', { reasons: ['due'] });
    expect(w.asked).toEqual([]);
    w.later(600);
    await w.resolve('a', { reasons: ['due'] });
    expect(w.asked).toHaveLength(1);
  });

  it('leaves one that fails to its own pass, and the others as they were', async () => {
    await follow('team', 'a', 'b');
    await settle();
    w.host(urlOf('b'), 'unauthorized');
    expect(await w.poll(await onlyPage())).toBe('failed');
    w.asked.splice(0);
    w.later(63);
    const page = (await duePolls()).find((target) => pageIn(target) !== undefined);
    if (page === undefined) throw new Error('no page is due');
    expect(await w.round(page)).toBe('unchanged');
    expect(w.asked.map(({ url }) => url.display)).toEqual([urlOf('a')]);
  });

  it('is one pass of the poll a day, also when nothing moves', async () => {
    await follow('team', 'a');
    await settle();
    let [rounds, woken] = [0, 0];
    for (; rounds < 24 * 60; rounds += 1) {
      const page = await onlyPage();
      if ((await w.round(page)) === 'moved') {
        woken += 1;
        break;
      }
    }
    expect(woken).toBe(1);
    expect(rounds).toBeGreaterThan(17 * 57);
  });

  it('lists a new revision from the next time on, and loses none that is followed while the poll goes into the page', async () => {
    await follow('team', 'a');
    w.host(urlOf('a'), [...main('1'), { name: 'refs/heads/dev', hash: id('2') }]);
    w.later(63);
    const [poll] = await duePolls();
    if (poll === undefined) throw new Error('no poll is due');
    const joinPage = w.polls.joinPage.bind(w.polls);
    w.polls.joinPage = async (...given) => {
      w.polls.joinPage = joinPage;
      w.apply('d', { git: { url: urlOf('a'), revision: 'dev' } });
      await w.resolve('d');
      return joinPage(...given);
    };
    expect(await w.poll(poll)).toBe('unchanged');
    expect(await w.polls.read(poll)).toMatchObject({ isDueAlone: true, page: undefined });
    w.later(63);
    expect(await w.poll(poll)).toBe('unchanged');
    w.host(urlOf('a'), [...main('1'), { name: 'refs/heads/dev', hash: id('3') }]);
    expect(await w.poll(await onlyPage())).toBe('moved');
    expect(w.woken()).toEqual(['source-resolver dependency d']);
  });

  it('goes when its polls have gone', async () => {
    await follow('team', 'a');
    const [poll] = await settle();
    if (poll === undefined) throw new Error('no poll was due');
    w.world.remove(w.pathOf('a'));
    await w.resolve('a');
    w.later(601);
    await w.resolve('a');
    expect(await w.poll(await onlyPage())).toBe('abandoned');
    expect(await w.polls.read(poll)).toBeUndefined();
    const page = await onlyPage();
    await w.poll(page);
    expect((await table.queryPartition(recordKey(page), { limit: 10 })).items).toEqual([]);
    w.later(3600);
    expect(await duePolls()).toEqual([]);
  });

  it('clears away a row whose poll is no more', async () => {
    await follow('team', 'a');
    await settle();
    const page = await onlyPage();
    const gone = { cluster: 'one', kind: 'GitPoll', namespace: 'team', name: 'gone' };
    await table.put(recordKey(page), rowSortKey(gone), { follower: 'x', answers: '[]', lookAt: 9e9 });
    expect(await w.poll(page)).toBe('abandoned');
    expect(await table.get(recordKey(page), rowSortKey(gone))).toBeUndefined();
  });

  it('moves a poll that a push hook has woken to the page of those that are listed hourly', async () => {
    await follow('team', 'a');
    const [poll] = await settle();
    if (poll === undefined) throw new Error('no poll was due');
    w.host(urlOf('a'), main('2'));
    expect(await w.poll(poll, 'hook')).toBe('moved');
    expect((await w.polls.read(poll))?.page).toBe('every-3600.0');
    expect((await w.pages.read({ ...poll, namespace: '', name: 'every-60.0' })).rows).toEqual([]);
  });

  it('asks a poll by itself that the installation now wants asked at another interval', async () => {
    await follow('team', 'a');
    const [poll] = await settle();
    if (poll === undefined) throw new Error('no poll was due');
    const row = (await w.pages.read({ ...poll, namespace: '', name: 'every-60.0' })).rows[0];
    if (row === undefined) throw new Error('no row is there');
    const old = await w.pages.enter(row, 300, () => 1);
    expect(await w.poll(old)).toBe('unchanged');
    expect((await w.pages.read(old)).rows).toEqual([]);
  });

  it('waits behind a cluster that is down, as one', async () => {
    await follow('team', 'a', 'b');
    await settle();
    const page = await onlyPage();
    w.world.failNext('GET', w.pathOf('a'), 503);
    w.world.failNext('GET', w.pathOf('b'), 503);
    expect(await w.poll(page)).toBe('parked');
    w.later(1);
    expect(await w.poll(page)).toBe('parked');
    expect((await w.records.parked('one', 'later', 10)).dues.map(({ target }) => target)).toEqual([page]);
    w.later(10);
    expect(await w.poll(page)).toBe('unchanged');
    expect((await w.records.parked('one', 'later', 10)).dues).toEqual([]);
  });

  it('is asked once when it was sent twice', async () => {
    await follow('team', 'a');
    await settle();
    const page = await onlyPage();
    await w.poll(page);
    w.asked.splice(0);
    w.later(5);
    expect(await w.round(page, `due@${Math.floor(w.now() / 1000) - 60}`)).toBe('unchanged');
    expect(w.asked).toEqual([]);
  });
});

describe('pages', () => {
  it('are twice as many when one is full, and each poll goes to its own', async () => {
    const names = Array.from({ length: 230 }, (_, at) => `r${at}`);
    await follow('team', ...names);
    await settle();
    for (let minutes = 0; minutes < 6; minutes += 1) {
      w.later(63);
      for (const due of await duePolls()) await w.poll(due);
    }
    w.asked.splice(0);
    w.later(63);
    const pages = (await duePolls()).filter((target) => pageIn(target) !== undefined);
    for (const page of pages) expect(await w.round(page)).toBe('unchanged');
    const sizes = await Promise.all(pages.map(async (page) => (await w.pages.read(page)).rows.length));
    expect(sizes.length).toBe(4);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(100);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(230);
    expect(new Set(w.asked.map(({ url }) => url.display)).size).toBe(230);
    expect(w.asked).toHaveLength(230);
  });

  it('are half as many when one is nearly empty, a day after they were doubled at the soonest', async () => {
    await follow('team', 'a', 'b', 'c');
    await settle();
    const page = await onlyPage();
    await table.update(recordKey(page), recordSortKey, {
      set: { exponent: 1, spreadSince: Math.floor(w.now() / 1000) },
    });
    for (let minutes = 0; minutes < 4; minutes += 1) {
      w.later(63);
      for (const due of await duePolls()) await w.poll(due);
    }
    expect((await w.pages.spread(page, 60)).exponent).toBe(1);
    w.later(86_400);
    for (let minutes = 0; minutes < 6; minutes += 1) {
      w.later(63);
      for (const due of await duePolls()) await w.poll(due);
    }
    expect((await w.pages.spread(page, 60)).exponent).toBe(0);
    expect(await onlyPage()).toEqual(page);
    expect((await w.pages.read(page)).rows).toHaveLength(3);
  });
});

describe('versions side by side', () => {
  it('a poll that an earlier version has listed goes into a page when it is next due', async () => {
    await follow('team', 'a');
    w.later(63);
    const [poll] = await duePolls();
    if (poll === undefined) throw new Error('no poll is due');
    // As the version before wrote it: due by itself, and nothing of pages.
    await w.polls.saveResult(poll, {
      askedAt: Math.floor(w.now() / 1000),
      attempts: 0,
      failure: undefined,
      dueAt: Math.floor(w.now() / 1000) + 60,
    });
    w.later(63);
    expect(await w.poll(poll)).toBe('unchanged');
    expect(await w.polls.read(poll)).toMatchObject({ isDueAlone: false, page: 'every-60.0' });
  });

  it('a page that is sent to an earlier version is no poll that it knows, and nothing of it is lost', async () => {
    await follow('team', 'a');
    await settle();
    const page = await onlyPage();
    // All that the version before does with it: it finds no row, and gives up.
    expect(await w.polls.read(page)).toBeUndefined();
    expect(await w.poll(page)).toBe('unchanged');
  });

  it('a poll that an earlier version lists while it lies in a page is due by itself, and goes back', async () => {
    await follow('team', 'a');
    const [poll] = await settle();
    if (poll === undefined) throw new Error('no poll was due');
    const at = Math.floor(w.now() / 1000);
    await table.update(recordKey(poll), recordSortKey, { set: { askedAt: at, dueAt: at + 60, dueShard: 3 } });
    w.later(63);
    expect(await w.poll(poll)).toBe('unchanged');
    expect(await w.polls.read(poll)).toMatchObject({ isDueAlone: false, page: 'every-60.0' });
  });
});
