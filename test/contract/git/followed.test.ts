import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { refLister } from '../../../lib/git/list-refs.ts';
import { type GitHttpServer, startGitHttpServer } from '../../support/git-http-server.ts';
import { type GitRoot, gitRoot } from '../../support/git-repository.ts';
import { openGitWay } from '../../support/open-egress.ts';
import { type SourceWorld, sourceWorld } from '../../support/source-world.ts';
import { type StateTables, stateTables } from '../../support/state-table.ts';

const login = { username: 'me', password: 'hunter2' };

describe('a SourceResolver that follows a real, private repository', () => {
  let state: StateTables;
  let root: GitRoot;
  let server: GitHttpServer;
  let w: SourceWorld;

  beforeAll(async () => {
    state = await stateTables();
    root = await gitRoot();
    server = await startGitHttpServer({ root: root.root, login });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await root[Symbol.asyncDispose]();
    await state[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    w = sourceWorld(await state.empty(), { listRefs: refLister(openGitWay) });
    const encode = (text: string): string => Buffer.from(text).toString('base64');
    w.put('serviceaccounts', { metadata: { name: 'sa', namespace: 'team' }, secrets: [{ name: 's' }] });
    w.put('secrets', {
      metadata: { name: 's', namespace: 'team', annotations: { 'kpack.io/git': server.url } },
      type: 'kubernetes.io/basic-auth',
      data: { username: encode(login.username), password: encode(login.password) },
    });
  });

  const apply = (name: string, repository: string, revision: string): void =>
    w.apply(name, { git: { url: `${server.url}/${repository}.git`, revision } }, { serviceAccount: 'sa' });
  const revisionOf = (name: string): unknown =>
    (w.statusOf(name) as { readonly source: { readonly git: { readonly revision: string } } }).source.git.revision;
  const pollOnce = async (): Promise<string> => {
    // Each poll has a moment of its own in every minute, and not one right after it was listed.
    for (let waited = 0; waited <= 70; waited += 5) {
      const poll = (await w.due()).find(({ target }) => target.kind === 'GitPoll');
      if (poll !== undefined) return w.poll(poll.target);
      w.later(5);
    }
    throw new Error('no poll is due');
  };

  it('05#31 learns of a push and of a force-push from the poll, and of nothing else', async () => {
    await root.init('app');
    const first = await root.commit('app', 'main', 'first');
    apply('app', 'app', 'main');
    await w.resolve('app');
    expect(revisionOf('app')).toBe(first);
    await root.commit('app', 'other');
    expect(await pollOnce()).toBe('unchanged');

    const second = await root.commit('app', 'main', 'second');
    expect(await pollOnce()).toBe('moved');
    await w.resolve('app', { reasons: ['dependency'] });
    expect(revisionOf('app')).toBe(second);

    await root.git('app', 'update-ref', 'refs/heads/main', first);
    expect(await pollOnce()).toBe('moved');
    await w.resolve('app', { reasons: ['dependency'] });
    expect(revisionOf('app')).toBe(first);
  });

  it('resolves HEAD, branches, tags, full refs and commits alike', async () => {
    await root.init('kinds');
    const commit = await root.commit('kinds', 'main');
    await root.git('kinds', 'tag', '-a', '-m', 'v1', 'v1', commit);
    for (const [index, revision] of ['HEAD', '', 'main', 'v1', 'refs/heads/main', 'refs/tags/v1', commit].entries()) {
      apply(`app${index}`, 'kinds', revision);
      expect([revision, await w.resolve(`app${index}`)]).toEqual([revision, 'settled']);
      expect([revision, revisionOf(`app${index}`)]).toEqual([revision, commit]);
    }
  });

  it('05#30 says what is wrong with the credentials', async () => {
    await root.init('closed');
    w.apply('app', { git: { url: `${server.url}/closed.git`, revision: 'main' } });
    await w.resolve('app');
    expect(w.statusOf('app')).toMatchObject({
      conditions: [
        { status: 'False', reason: 'GitUnauthorized', message: expect.stringContaining('kpack.io/git') as string },
        { status: 'False' },
      ],
    });
  });
});
