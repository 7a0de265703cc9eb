import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commitGoneExitCode } from '../../../lib/api/step-exit.ts';
import { refLister } from '../../../lib/git/list-refs.ts';
import { parseGitUrl } from '../../../lib/git/url.ts';
import { type GitRoot, git, gitRoot } from '../../support/git-repository.ts';
import { openGitWay } from '../../support/open-egress.ts';
import { startJGit } from '../../support/oracle-servers.ts';
import { stepWorld } from '../../support/step-world.ts';

const root: GitRoot = await gitRoot();
const host = await startJGit(root.root);

describe.skipIf('missing' in host)(`a host that runs JGit (${'missing' in host ? host.missing : 'real JGit'})`, () => {
  const url = (name: string): string => `${'missing' in host ? '' : host.endpoint}/${name}.git`;
  let first: string;
  let second: string;

  const commit = async (text: string): Promise<string> => {
    const file = join(root.root, 'content');
    await writeFile(file, text);
    const blob = await root.git('app', 'hash-object', '-w', file);
    await root.git('app', 'update-index', '--add', '--cacheinfo', `100644,${blob},a.txt`);
    const made = await root.git('app', 'commit-tree', await root.git('app', 'write-tree'), '-m', text);
    await root.git('app', 'update-ref', 'refs/heads/main', made);
    return made;
  };
  beforeAll(async () => {
    await root.init('app');
    first = await commit('one');
    await root.git('app', 'tag', '-a', '-m', 'v1', 'v1', first);
    second = await commit('two');
  });
  afterAll(async () => {
    if (!('missing' in host)) await host.close();
    await root[Symbol.asyncDispose]();
  });

  it('lists what git ls-remote lists', async () => {
    const refs = await refLister(openGitWay)({ url: parseGitUrl(url('app')), prefixes: [] });
    const lines = refs.flatMap(({ name, hash, peeled }) => [
      `${hash}\t${name}`,
      ...(peeled === undefined ? [] : [`${peeled}\t${name}^{}`]),
    ]);
    expect(lines).toEqual((await git(['ls-remote', url('app')])).split('\n'));
  });

  it.each(['main', 'v1', 'its id'])('gives a build the commit of %s', async (at) => {
    await using world = await stepWorld();
    await world.prepare({ GIT_URL: url('app'), GIT_REVISION: at === 'its id' ? second : at });
    expect(await world.read('a.txt')).toBe(at === 'v1' ? 'one' : 'two');
  });

  it('that calls a want not valid has all of its history looked through, and the commit is gone then', async () => {
    await using world = await stepWorld();
    const failure = await world.prepare({ GIT_URL: url('app'), GIT_REVISION: 'a'.repeat(40) }).catch((e: unknown) => e);
    expect(failure).toMatchObject({
      exitCode: commitGoneExitCode,
      message: `unable to fetch references for repository: there is no commit ${'a'.repeat(40)}`,
    });
  });

  it('that has no such repository is understood, in resolver and pod', async () => {
    const listing = refLister(openGitWay)({ url: parseGitUrl(url('none')), prefixes: [] });
    await expect(listing).rejects.toMatchObject({ code: 'not-found' });
    await using world = await stepWorld();
    await expect(world.prepare({ GIT_URL: url('none'), GIT_REVISION: second })).rejects.toThrow(
      /does not exist or may not be seen without credentials \(HTTP 404\)/,
    );
  });
});
