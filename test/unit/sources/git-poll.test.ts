import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { recordKey, type TargetKey } from '../../../lib/state/keys.ts';
import { type SourceWorld, sourceWorld } from '../../support/source-world.ts';
import { type StateTables, stateTables } from '../../support/state-table.ts';

const id = (digit: string): string => digit.repeat(40);
const URL = 'https://github.com/o/r.git';
const refs = (...heads: readonly (readonly [string, string])[]) =>
  heads.map(([name, digit]) => ({ name: `refs/heads/${name}`, hash: id(digit) }));
const git = (revision = 'main', url = URL) => ({ git: { url, revision } });

let state: StateTables;
let w: SourceWorld;
beforeAll(async () => {
  state = await stateTables();
});
afterAll(() => state[Symbol.asyncDispose]());
beforeEach(async () => {
  w = sourceWorld(await state.empty());
  w.host(URL, refs(['main', '1'], ['dev', '2']));
});

const present = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error('nothing is there');
  return value;
};

/** The polls that are due a minute from now, and the twentieth of one that is never too short. */
const nextPolls = async (): Promise<readonly TargetKey[]> => {
  w.later(63);
  return (await w.due()).map(({ target }) => target).filter(({ kind }) => kind === 'GitPoll');
};
const onlyPoll = async (): Promise<TargetKey> => {
  const [poll, ...others] = await nextPolls();
  expect(others).toEqual([]);
  if (poll === undefined) throw new Error('no poll is due');
  return poll;
};
const follow = async (...names: readonly string[]): Promise<void> => {
  for (const name of names) {
    w.apply(name, git());
    await w.resolve(name);
  }
};

describe('a shared poll', () => {
  it('lists once for any number of SourceResolvers, and wakes nobody while nothing moves', async () => {
    await follow('a', 'b', 'c');
    w.apply('d', git('dev'));
    await w.resolve('d');
    const poll = await onlyPoll();
    w.asked.splice(0);
    const requests = w.world.requests.length;
    expect(await w.poll(poll)).toBe('unchanged');
    expect(w.asked).toHaveLength(1);
    expect(w.world.requests.length - requests).toBe(1);
    expect(w.woken()).toEqual([]);
  });

  it('comes back every interval', async () => {
    await follow('a');
    for (let minute = 0; minute < 3; minute += 1) expect(await w.poll(await onlyPoll())).toBe('unchanged');
  });

  it('wakes those whose revision moved, who then need not ask the host', async () => {
    await follow('a', 'b');
    w.apply('d', git('dev'));
    await w.resolve('d');
    w.host(URL, refs(['main', '3'], ['dev', '2']));
    expect(await w.poll(await onlyPoll())).toBe('moved');
    expect(w.woken()).toEqual(['source-resolver dependency a', 'source-resolver dependency b']);
    w.asked.splice(0);
    await w.resolve('a', { reasons: ['dependency'] });
    expect(w.asked).toEqual([]);
    expect(w.statusOf('a')).toHaveProperty('source.git.revision', id('3'));
    expect(await w.poll(await onlyPoll())).toBe('unchanged');
  });

  it('wakes again when it dies after waking and before it is done: no move is lost', async () => {
    await follow('a');
    w.host(URL, refs(['main', '3']));
    const poll = await onlyPoll();
    const before = present(await w.polls.entry(poll, 'main'));
    expect(await w.poll(poll)).toBe('moved');
    // What the store looks like when the pass died just before it replaced what followers saw.
    await w.polls.settle(
      poll,
      { ...before, version: present(await w.polls.entry(poll, 'main')).version },
      before.seen[0] ?? '',
    );
    w.woken();
    expect(await w.poll(poll)).toBe('moved');
    expect(w.woken()).toEqual(['source-resolver dependency a']);
  });

  it('wakes whoever is behind when two saw different commits', async () => {
    await follow('a');
    w.host(URL, refs(['main', '3']));
    await follow('b');
    expect(await w.poll(await onlyPoll())).toBe('moved');
    expect(w.woken()).toContain('source-resolver dependency a');
  });

  it('is apart for each namespace with a Secret, and reads the Secret anew each time', async () => {
    for (const namespace of ['one', 'two']) {
      w.put('serviceaccounts', { metadata: { name: 'sa', namespace }, secrets: [{ name: 's' }] });
      w.put('secrets', {
        metadata: { name: 's', namespace, annotations: { 'kpack.io/git': 'github.com' } },
        type: 'kubernetes.io/basic-auth',
        data: { username: 'bWU=', password: 'b25l' },
      });
      w.apply('app', git(), { namespace, serviceAccount: 'sa' });
      await w.resolve('app', { namespace });
    }
    const polls = await nextPolls();
    expect(polls.map(({ namespace }) => namespace).toSorted()).toEqual(['one', 'two']);
    w.put('secrets', {
      metadata: { name: 's', namespace: 'one', annotations: { 'kpack.io/git': 'github.com' } },
      type: 'kubernetes.io/basic-auth',
      data: { username: 'bWU=', password: 'dHdv' },
    });
    for (const poll of polls) await w.poll(poll);
    const passwords = w.asked
      .slice(-2)
      .map(({ credential }) => (credential?.kind === 'basic' ? credential.password : ''));
    expect(passwords.toSorted()).toEqual(['one', 'two']);
  });

  it('stores neither URL nor password', async () => {
    w.host('https://github.com/private.git', refs(['main', '1']));
    w.apply('app', git('main', 'https://me:hunter2@github.com/private.git'));
    await w.resolve('app');
    const poll = await onlyPoll();
    expect(await w.poll(poll)).toBe('unchanged');
    const stored = await w.table.queryPartition(recordKey(poll), { limit: 10 });
    expect(stored.items).toHaveLength(2);
    expect(JSON.stringify([poll, stored.items, w.logged])).not.toMatch(/hunter2|github/);
  });

  it('tells followers at once when the host refuses, once, and again when that is over', async () => {
    await follow('a');
    w.host(URL, 'unauthorized');
    expect(await w.poll(await onlyPoll())).toBe('failed');
    expect(w.woken()).toEqual(['source-resolver dependency a']);
    w.asked.splice(0);
    await w.resolve('a', { reasons: ['dependency'] });
    expect(w.asked).toEqual([]);
    expect(w.statusOf('a')).toMatchObject({
      conditions: [{ status: 'False', reason: 'GitUnauthorized' }, { status: 'True' }],
    });
    expect(await w.poll(await onlyPoll())).toBe('failed');
    expect(w.woken()).toEqual([]);
    w.host(URL, refs(['main', '1']));
    w.later(60);
    expect(await w.poll(await onlyPoll())).toBe('moved');
    expect(w.woken()).toEqual(['source-resolver dependency a']);
    await w.resolve('a', { reasons: ['dependency'] });
    expect(w.statusOf('a')).toMatchObject({ conditions: [{ type: 'Ready', status: 'True' }, { status: 'True' }] });
  });

  it('disturbs nobody for a short outage, and tries less and less often', async () => {
    await follow('a');
    w.host(URL, 'host-unreachable');
    const poll = await onlyPoll();
    for (const [seconds, woken] of [
      [59, 0],
      [119, 0],
      [240, 1],
    ] as const) {
      expect(await w.poll(poll)).toBe('failed');
      expect(w.woken()).toHaveLength(woken);
      w.later(seconds);
    }
    w.host(URL, refs(['main', '1']));
    expect(await w.poll(poll)).toBe('moved');
  });

  it('that finds the cluster down says so, and when it is the probe, its answer lets everybody in again', async () => {
    await follow('a');
    const poll = await onlyPoll();
    const path = '/apis/kpack.io/v1alpha2/namespaces/team/sourceresolvers/a';
    w.world.failNext('GET', path, 503);
    expect(await w.poll(poll)).toBe('failed');
    expect(await w.resolve('a')).toBe('parked');
    w.later(6);
    w.world.failNext('GET', path, 503);
    expect(await w.poll(poll)).toBe('failed');
    w.later(2);
    expect(await w.resolve('a')).toBe('parked');
    w.later(6);
    expect(await w.poll(poll)).not.toBe('failed');
    expect(await w.resolve('a')).not.toBe('parked');
  });

  it('goes when nobody follows it any more', async () => {
    await follow('a');
    const poll = await onlyPoll();
    w.apply('a', { blob: { url: 'https://h/a.zip' } }, { generation: 2 });
    await w.resolve('a');
    expect(await w.poll(poll)).toBe('abandoned');
    expect(await w.polls.read(poll)).toBeUndefined();
    w.later(3600);
    expect((await w.due()).filter(({ target }) => target.kind === 'GitPoll')).toEqual([]);
  });

  it('is not lost to somebody who begins to follow while it goes', async () => {
    await follow('a');
    const poll = await onlyPoll();
    const [row, { entries }] = [await w.polls.read(poll), await w.polls.entries(poll, 10)];
    await follow('b');
    expect(await w.polls.forget(poll, present(row), entries)).toBe(false);
    expect(await w.polls.read(poll)).toBeDefined();
  });

  it('drops revisions that nobody follows, once an hour', async () => {
    await follow('a');
    w.apply('d', git('dev'));
    await w.resolve('d');
    const poll = await onlyPoll();
    await w.poll(poll);
    w.apply('d', git('main'), { generation: 2 });
    await w.resolve('d');
    expect((await w.polls.entries(poll, 10)).entries).toHaveLength(2);
    w.later(3600);
    await w.poll(poll);
    expect((await w.polls.entries(poll, 10)).entries).toMatchObject([
      { revision: 'main', seen: [`${id('1')} Branch`], found: `${id('1')} Branch` },
    ]);
  });

  it('waits while all its followers have moved on but are not yet forgotten', async () => {
    await follow('a');
    w.apply('a', git('main', 'https://elsewhere/r'), { generation: 2 });
    expect(await w.poll(await onlyPoll())).toBe('parked');
  });

  it('asks for a Secret that is gone: its followers choose anew', async () => {
    w.put('serviceaccounts', { metadata: { name: 'sa', namespace: 'team' }, secrets: [{ name: 's' }] });
    w.put('secrets', {
      metadata: { name: 's', namespace: 'team', annotations: { 'kpack.io/git': 'github.com' } },
      type: 'kubernetes.io/basic-auth',
      data: {},
    });
    w.apply('app', git(), { serviceAccount: 'sa' });
    await w.resolve('app');
    w.world.remove('/api/v1/namespaces/team/secrets/s');
    expect(await w.poll(await onlyPoll())).toBe('failed');
    expect(w.woken()).toEqual(['source-resolver dependency app']);
    await w.resolve('app', { reasons: ['dependency'] });
    expect(w.asked.at(-1)?.credential).toBeUndefined();
    expect(w.statusOf('app')).toMatchObject({ conditions: [{ status: 'True' }, { status: 'True' }] });
  });

  it('costs one listing and two API reads for each pair of repository and Secret, however many follow', async () => {
    w.put('serviceaccounts', { metadata: { name: 'sa', namespace: 'team' }, secrets: [{ name: 's' }] });
    w.put('secrets', {
      metadata: { name: 's', namespace: 'team', annotations: { 'kpack.io/git': 'github.com' } },
      type: 'kubernetes.io/basic-auth',
      data: {},
    });
    for (let n = 0; n < 40; n += 1) {
      const url = `https://github.com/o/r${n % 10}`;
      w.host(url, refs(['main', '1']));
      w.apply(`app${n}`, git('main', url), { serviceAccount: 'sa' });
      await w.resolve(`app${n}`);
    }
    w.asked.splice(0);
    const before = w.world.requests.length;
    const polls = await nextPolls();
    for (const poll of polls) expect(await w.poll(poll)).toBe('unchanged');
    expect([polls.length, w.asked.length, w.world.requests.length - before]).toEqual([10, 10, 20]);
  });

  it('pages through many followers', async () => {
    for (let n = 0; n < 103; n += 1) {
      w.apply(`app${n}`, git());
      await w.resolve(`app${n}`);
    }
    w.host(URL, refs(['main', '3']));
    await w.poll(await onlyPoll());
    expect(new Set(w.woken()).size).toBe(103);
  });
});
