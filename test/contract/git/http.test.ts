import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refLister } from '../../../lib/git/list-refs.ts';
import type { GitRef } from '../../../lib/git/refs.ts';
import { parseGitUrl } from '../../../lib/git/url.ts';
import { type GitHttpServer, startGitHttpServer } from '../../support/git-http-server.ts';
import { type GitRoot, git, gitRoot } from '../../support/git-repository.ts';
import { openGitWay } from '../../support/open-egress.ts';

/** What `git ls-remote` prints, as lines in its order: a peeled tag is a line of its own. */
const asLsRemote = (refs: readonly GitRef[]): readonly string[] =>
  refs.flatMap(({ name, hash, peeled }) => [
    `${hash}\t${name}`,
    ...(peeled === undefined ? [] : [`${peeled}\t${name}^{}`]),
  ]);

describe('refs over http agree with git ls-remote', () => {
  let root: GitRoot;
  let modern: GitHttpServer;
  let old: GitHttpServer;

  beforeAll(async () => {
    root = await gitRoot();
    await root.init('app');
    const first = await root.commit('app', 'main');
    await root.commit('app', 'feature/x');
    await root.git('app', 'tag', 'light', first);
    await root.git('app', 'tag', '-a', '-m', 'v1', 'v1', first);
    await root.git('app', 'tag', '-a', '-m', 'tag of a tag', 'v1-again', 'v1');
    await root.git('app', 'update-ref', 'refs/pull/7/head', first);
    await root.init('empty');
    modern = await startGitHttpServer({ root: root.root });
    old = await startGitHttpServer({ root: root.root, speaksVersion2: false });
  });
  afterAll(async () => {
    await modern[Symbol.asyncDispose]();
    await old[Symbol.asyncDispose]();
    await root[Symbol.asyncDispose]();
  });

  const list = (server: GitHttpServer, repository: string, prefixes: readonly string[] = []) =>
    refLister(openGitWay)({ url: parseGitUrl(`${server.url}/${repository}.git`), prefixes });

  it('in protocol version 2, with two requests', async () => {
    const before = modern.requests.length;
    const refs = await list(modern, 'app');
    expect(modern.requests.length - before).toBe(2);
    expect(asLsRemote(refs)).toEqual((await git(['ls-remote', `${modern.url}/app.git`])).split('\n'));
    expect(refs[0]).toMatchObject({ name: 'HEAD', symrefTarget: 'refs/heads/main' });
  });

  it('from a host that does not know version 2, with one request', async () => {
    const before = old.requests.length;
    const refs = await list(old, 'app');
    expect(old.requests.length - before).toBe(1);
    expect(asLsRemote(refs)).toEqual((await git(['ls-remote', `${old.url}/app.git`])).split('\n'));
    expect(refs[0]).toMatchObject({ name: 'HEAD', symrefTarget: 'refs/heads/main' });
  });

  it.each(['version 2', 'version 0'])('narrowed to prefixes in %s', async (version) => {
    const refs = await list(version === 'version 2' ? modern : old, 'app', ['refs/tags/v1', 'refs/heads/main']);
    expect(refs.map(({ name }) => name)).toEqual(['refs/heads/main', 'refs/tags/v1', 'refs/tags/v1-again']);
  });

  it('for an empty repository, which has none', async () => {
    expect(await list(modern, 'empty')).toEqual([]);
    expect(await list(old, 'empty')).toEqual([]);
  });

  it('and says not-found for a repository that is not there', async () => {
    await expect(list(modern, 'none')).rejects.toMatchObject({ name: 'GitError', code: 'not-found', pace: 'slow' });
  });
});
