import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type SourceWorld, sourceWorld } from '../../support/source-world.ts';
import { type StateTables, stateTables } from '../../support/state-table.ts';

const id = (digit: string): string => digit.repeat(40);
const URL = 'https://github.com/o/r.git';
const main = (digit: string) => [{ name: 'refs/heads/main', hash: id(digit) }];
const git = (revision = 'main') => ({ git: { url: URL, revision } });

let state: StateTables;
let w: SourceWorld;
beforeAll(async () => {
  state = await stateTables();
});
afterAll(() => state[Symbol.asyncDispose]());
beforeEach(async () => {
  w = sourceWorld(await state.empty());
  w.host(URL, main('1'));
});

const ready = (...more: readonly object[]) => [
  expect.objectContaining({ type: 'Ready', status: 'True' }) as object,
  ...more,
];
const polling = (status: 'False' | 'True') => expect.objectContaining({ type: 'ActivePolling', status }) as object;
const notReady = (status: 'False' | 'Unknown', reason: string) =>
  expect.objectContaining({ type: 'Ready', status, reason }) as object;

describe('a SourceResolver', () => {
  it('02#175 that resolves to a branch is Ready, polled, and due for a poll in a minute', async () => {
    w.apply('app', { ...git(), subPath: 'sub' });
    expect(await w.resolve('app')).toBe('settled');
    expect(w.statusOf('app')).toEqual({
      observedGeneration: 1,
      conditions: ready(polling('True')),
      source: { git: { url: URL, revision: id('1'), type: 'Branch', subPath: 'sub' } },
    });
    expect(await w.due()).toEqual([]);
    w.later(60);
    expect((await w.due()).map(({ target }) => target.kind)).toEqual(['GitPoll']);
  });

  it('02#176 that resolves to the same again writes nothing', async () => {
    w.apply('app', git());
    await w.resolve('app');
    const before = w.world.writes().length;
    expect(await w.resolve('app', { reasons: ['hook'] })).toBe('settled');
    expect(w.world.writes()).toHaveLength(before);
  });

  it('02#177 of a new generation writes observedGeneration', async () => {
    w.apply('app', git());
    await w.resolve('app');
    w.apply('app', git(), { generation: 2, status: w.statusOf('app') as never });
    await w.resolve('app');
    expect(w.statusOf('app')).toMatchObject({ observedGeneration: 2, source: { git: { revision: id('1') } } });
  });

  it('02#178 of a tag is polled, of a commit is not', async () => {
    w.host(URL, [{ name: 'refs/tags/v1', hash: id('2'), peeled: id('3') }]);
    w.apply('tag', git('v1'));
    w.apply('commit', git(id('4')));
    await w.resolve('tag');
    await w.resolve('commit');
    expect(w.statusOf('tag')).toMatchObject({
      conditions: ready(polling('True')),
      source: { git: { revision: id('3'), type: 'Tag' } },
    });
    expect(w.statusOf('commit')).toMatchObject({
      conditions: ready(polling('False')),
      source: { git: { revision: id('4'), type: 'Commit' } },
    });
    w.later(3600);
    expect(await w.due()).toHaveLength(1);
  });

  it('02#179 whose host is down at first is not Ready, where kpack builds the branch name', async () => {
    w.host(URL, 'host-unreachable');
    w.apply('app', git());
    expect(await w.resolve('app')).toBe('failed');
    expect(w.statusOf('app')).toEqual({
      observedGeneration: 1,
      conditions: [notReady('Unknown', 'GitHostUnreachable'), polling('False')],
    });
    w.host(URL, main('1'));
    w.later(60);
    expect(await w.resolve('app', { reasons: ['due'] })).toBe('settled');
    expect(w.statusOf('app')).toMatchObject({ conditions: ready(polling('True')) });
  });

  it('that has not answered once in two minutes is somebody’s to look at, and is asked on', async () => {
    w.host(URL, 'host-unreachable');
    w.apply('app', git());
    await w.resolve('app');
    w.later(60);
    await w.resolve('app', { reasons: ['due'] });
    expect(w.statusOf('app')).toMatchObject({ conditions: [notReady('Unknown', 'GitHostUnreachable'), {}] });
    for (const seconds of [60, 600]) {
      w.later(seconds);
      expect(await w.resolve('app', { reasons: ['due'] })).toBe('failed');
      expect(w.statusOf('app')).toMatchObject({ conditions: [notReady('False', 'GitHostUnreachable'), {}] });
    }
    w.host(URL, main('1'));
    w.later(600);
    await w.resolve('app', { reasons: ['due'] });
    expect(w.statusOf('app')).toMatchObject({ conditions: ready(polling('True')) });
  });

  it('that has answered is waited for, however long its host is down', async () => {
    w.apply('app', git());
    await w.resolve('app');
    w.host(URL, 'timeout');
    for (const seconds of [30, 600, 3600]) {
      w.later(seconds);
      await w.resolve('app', { reasons: ['due'] });
    }
    expect(w.statusOf('app')).toMatchObject({ conditions: [notReady('Unknown', 'GitTimeout'), polling('True')] });
  });

  it('02#180 whose host goes down later keeps its source and its polling, and says why', async () => {
    w.apply('app', git());
    await w.resolve('app');
    w.host(URL, 'timeout');
    await w.resolve('app');
    expect(w.statusOf('app')).toMatchObject({ conditions: ready(polling('True')) });
    w.later(30);
    await w.resolve('app', { reasons: ['due'] });
    expect(w.statusOf('app')).toMatchObject({
      conditions: [notReady('Unknown', 'GitTimeout'), polling('True')],
      source: { git: { revision: id('1'), type: 'Branch' } },
    });
    const before = w.world.writes().length;
    w.later(1);
    await w.resolve('app', { reasons: ['due'] });
    expect(w.world.writes()).toHaveLength(before);
  });

  it('02#181 edited to a dead host has no source, not Ready and not polled: the old one is not what it asks for', async () => {
    w.apply('app', git());
    await w.resolve('app');
    const dead = { git: { url: 'https://dead.example.com/r', revision: 'main' } };
    w.apply('app', dead, { generation: 2, status: w.statusOf('app') as never });
    await w.resolve('app');
    expect(w.statusOf('app')).toMatchObject({
      observedGeneration: 2,
      conditions: [notReady('Unknown', 'GitHostUnreachable'), polling('False')],
    });
    expect(w.statusOf('app')).not.toHaveProperty('source');
  });

  it('02#182 of a blob is a copy, stripComponents included, which kpack loses', async () => {
    w.apply('app', { blob: { url: 'https://h/a.zip', auth: 'secret', stripComponents: 1 }, subPath: 'x' });
    expect(await w.resolve('app')).toBe('settled');
    expect(w.statusOf('app')).toEqual({
      observedGeneration: 1,
      conditions: ready(polling('False')),
      source: { blob: { url: 'https://h/a.zip', auth: 'secret', stripComponents: 1, subPath: 'x' } },
    });
    expect(w.asked).toEqual([]);
  });

  it('02#182 of a blob leaves empty members out', async () => {
    w.apply('app', { blob: { url: 'https://h/a.zip', auth: '', stripComponents: 0 }, subPath: '' });
    await w.resolve('app');
    expect(w.statusOf('app')).toHaveProperty('source', { blob: { url: 'https://h/a.zip' } });
  });

  it('02#183 of an image is a copy, tags and all, and not polled', async () => {
    w.apply('app', { registry: { image: 'h/a:1', imagePullSecrets: [{ name: 's' }] }, subPath: 'x' });
    await w.resolve('app');
    expect(w.statusOf('app')).toEqual({
      observedGeneration: 1,
      conditions: ready(polling('False')),
      source: { registry: { image: 'h/a:1', imagePullSecrets: [{ name: 's' }], subPath: 'x' } },
    });
  });

  it('02#184 without a source says so and waits for its author', async () => {
    w.apply('app', {});
    expect(await w.resolve('app')).toBe('invalid');
    const [condition] = (w.statusOf('app') as { conditions: readonly { message: string }[] }).conditions;
    expect(condition).toMatchObject({ status: 'False', reason: 'InvalidSource' });
    expect(condition?.message).toContain('invalid source type');
  });

  it('02#187 takes the new revision whatever tree is left over in its status', async () => {
    const source = { git: { url: URL, revision: id('9'), type: 'Branch' as const, tree: id('a'), subPath: 'sub' } };
    w.apply('app', { ...git(), subPath: 'sub' }, { status: { observedGeneration: 1, source } });
    await w.resolve('app');
    expect(w.statusOf('app')).toHaveProperty('source.git', {
      url: URL,
      revision: id('1'),
      type: 'Branch',
      subPath: 'sub',
    });
  });

  it('02#189 woken twice has one poll, at the earlier time', async () => {
    w.apply('app', git());
    await w.resolve('app');
    w.later(30);
    await w.resolve('app');
    w.later(30);
    expect(await w.due()).toHaveLength(1);
  });

  it('02#190 whose Secret may not be read says which binding is missing, and is retried slowly', async () => {
    w.put('serviceaccounts', { metadata: { name: 'sa', namespace: 'team' }, secrets: [{ name: 's' }] });
    w.world.failNext('GET', '/secrets/s', 403);
    w.apply('app', git(), { serviceAccount: 'sa' });
    expect(await w.resolve('app')).toBe('failed');
    const [condition] = (w.statusOf('app') as { conditions: readonly { message: string }[] }).conditions;
    expect(condition).toMatchObject({ status: 'False', reason: 'CredentialsForbidden' });
    expect(condition?.message).toMatch(/namespace team .* ClusterRole kpackless-tenant/);
    // Thrice within seconds, as an API server that starts refuses too.
    for (let refusals = 0; refusals < 3; refusals += 1) {
      w.later(4);
      expect(await w.due()).toHaveLength(1);
      w.world.failNext('GET', '/secrets/s', 403);
      expect(await w.resolve('app')).toBe('failed');
    }
    w.later(40);
    expect(await w.due()).toEqual([]);
    w.later(21);
    expect(await w.due()).toHaveLength(1);
  });

  it('02#194 refused by its host says so and keeps what it had, where kpack stays Ready for ever', async () => {
    w.apply('app', git());
    await w.resolve('app');
    w.host(URL, 'unauthorized');
    await w.resolve('app');
    expect(w.statusOf('app')).toMatchObject({
      conditions: [notReady('False', 'GitUnauthorized'), polling('True')],
      source: { git: { revision: id('1') } },
    });
  });

  it('02#201 of a revision that is not there says so, and is woken when somebody pushes it', async () => {
    w.apply('app', git('nope'));
    expect(await w.resolve('app')).toBe('failed');
    expect(w.statusOf('app')).toEqual({
      observedGeneration: 1,
      conditions: [notReady('False', 'RevisionNotFound'), polling('False')],
    });
    w.host(URL, [{ name: 'refs/heads/nope', hash: id('5') }]);
    w.later(60);
    const poll = (await w.due()).find(({ target }) => target.kind === 'GitPoll');
    expect(poll && (await w.poll(poll.target))).toBe('moved');
    expect(w.woken()).toEqual(['source-resolver dependency app']);
    await w.resolve('app', { reasons: ['dependency'] });
    expect(w.statusOf('app')).toMatchObject({
      conditions: ready(polling('True')),
      source: { git: { revision: id('5') } },
    });
  });

  it('of a deleted branch keeps the last commit and says that the branch is gone, where kpack builds its name', async () => {
    w.apply('app', git());
    await w.resolve('app');
    w.host(URL, []);
    await w.resolve('app');
    await w.resolve('app');
    expect(w.statusOf('app')).toMatchObject({
      conditions: [notReady('False', 'RevisionDeleted'), polling('True')],
      source: { git: { revision: id('1') } },
    });
  });

  it('02#202 of a pull request’s ref is Ready, of unknown type and not polled', async () => {
    w.host(URL, [{ name: 'refs/pull/7/head', hash: id('7') }]);
    w.apply('app', git('pull/7/head'));
    await w.resolve('app');
    expect(w.statusOf('app')).toMatchObject({
      conditions: ready(polling('False')),
      source: { git: { revision: id('7'), type: 'Unknown' } },
    });
    w.later(3600);
    expect(await w.due()).toEqual([]);
  });

  it('02#210 with a missing account or Secret uses what there is', async () => {
    w.apply('gone', git(), { serviceAccount: 'gone' });
    await w.resolve('gone');
    expect(w.asked.at(-1)?.credential).toBeUndefined();
    w.put('serviceaccounts', {
      metadata: { name: 'sa', namespace: 'team' },
      secrets: [{ name: 'missing' }, { name: 'good' }, {}],
    });
    w.put('secrets', {
      metadata: { name: 'good', namespace: 'team', annotations: { 'kpack.io/git': 'https://github.com' } },
      type: 'kubernetes.io/basic-auth',
      data: { username: 'bWU=', password: 'cHc=' },
    });
    w.apply('app', git(), { serviceAccount: 'sa' });
    await w.resolve('app');
    expect(w.asked.at(-1)?.credential).toMatchObject({ secretName: 'good', username: 'me', password: 'pw' });
  });

  it('with a URL that cannot be one waits for its author', async () => {
    w.apply('app', { git: { url: '/srv/repo', revision: 'main' } });
    expect(await w.resolve('app')).toBe('invalid');
    expect(w.statusOf('app')).toMatchObject({ conditions: [notReady('False', 'InvalidGitUrl'), polling('False')] });
  });

  it('with a revision that cannot name a ref asks nobody', async () => {
    w.apply('app', git('main~1'));
    await w.resolve('app');
    expect(w.asked).toEqual([]);
    expect(w.statusOf('app')).toMatchObject({ conditions: [notReady('False', 'RevisionNotFound'), polling('False')] });
  });

  it('says nothing of the source when it is the cluster that fails', async () => {
    w.apply('app', git(), { serviceAccount: 'sa' });
    w.world.failNext('GET', '/serviceaccounts/sa', 500);
    expect(await w.resolve('app')).toBe('failed');
    expect(w.statusOf('app')).toBeUndefined();
  });

  it('echoes initializeSubmodules', async () => {
    w.apply('app', { git: { url: URL, revision: 'main', initializeSubmodules: true } });
    await w.resolve('app');
    expect(w.statusOf('app')).toHaveProperty('source.git.initializeSubmodules', true);
  });

  it('does not dial a host that did not answer a moment ago', async () => {
    w.host(URL, 'host-unreachable');
    w.apply('one', git());
    w.apply('two', git());
    await w.resolve('one');
    await w.resolve('two');
    expect(w.asked).toHaveLength(1);
    expect(w.statusOf('two')).toMatchObject({
      conditions: [notReady('Unknown', 'GitHostUnreachable'), polling('False')],
    });
  });
});
