import { chmod, lstat, mkdir, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commitGoneExitCode } from '../../../lib/api/step-exit.ts';
import { parseSourceMessage } from '../../../lib/builds/source-message.ts';
import { fetchGit } from '../../../lib/steps/prepare/git-source.ts';
import { StepFailure } from '../../../lib/steps/step.ts';
import { type GitHttpServer, startGitHttpServer } from '../../support/git-http-server.ts';
import { type GitRoot, git, gitRoot } from '../../support/git-repository.ts';
import { type SshServer, sshdMissing, startSshServer } from '../../support/ssh-server.ts';
import { type StepWorld, stepWorld } from '../../support/step-world.ts';

let root: GitRoot;
let server: GitHttpServer;
let closed: GitHttpServer;
let first = '';
let second = '';

/** Commits the files of a working tree into a bare repository's branch. */
const commitTree = async (name: string, fill: (tree: string) => Promise<void>): Promise<string> => {
  const tree = join(root.root, `${name}-tree`);
  await rm(tree, { recursive: true, force: true });
  await git(['clone', '-q', join(root.root, `${name}.git`), tree]);
  await fill(tree);
  await git(['-C', tree, 'add', '-A']);
  await git(['-C', tree, 'commit', '-q', '-m', 'more']);
  await git(['-C', tree, 'push', '-q', 'origin', 'HEAD:main']);
  return await git(['-C', tree, 'rev-parse', 'HEAD']);
};

beforeAll(async () => {
  root = await gitRoot();
  server = await startGitHttpServer({ root: root.root });
  closed = await startGitHttpServer({ root: root.root, login: { username: 'ada', password: 'p:w' } });
  await root.init('app');
  await root.commit('app', 'main');
  first = await commitTree('app', async (tree) => {
    await writeFile(join(tree, 'index.js'), 'one\n');
  });
  await root.git('app', 'tag', 'v1');
  await root.git('app', 'tag', '-a', 'annotated', '-m', 'annotated');
  second = await commitTree('app', async (tree) => {
    await writeFile(join(tree, 'index.js'), 'two\n');
    await mkdir(join(tree, 'bin'));
    await writeFile(join(tree, 'bin/run'), '#!/bin/sh\n');
    await chmod(join(tree, 'bin/run'), 0o755);
    await symlink('index.js', join(tree, 'link.js'));
  });
}, 60_000);

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await closed[Symbol.asyncDispose]();
  await root[Symbol.asyncDispose]();
});

describe('a git source', () => {
  it.each([
    ['a branch', 'main', () => second],
    ['a full ref', 'refs/heads/main', () => second],
    ['HEAD', 'HEAD', () => second],
    ['a lightweight tag', 'v1', () => first],
    ['an annotated tag', 'annotated', () => first],
  ])('03#124 checks out %s and records the commit behind it', async (_what, revision, commit) => {
    await using world = await stepWorld();
    await world.prepare({ GIT_URL: `${server.url}/app.git`, GIT_REVISION: revision });
    expect(await world.read('index.js')).toBe(commit() === first ? 'one\n' : 'two\n');
    expect(await world.metadata()).toContain(`revision = "${revision}"`);
    expect(await world.metadata()).toContain(`commit = "${commit()}"`);
  });

  it('03#129 fetches a commit by its id and writes exactly the git form of the metadata', async () => {
    await using world = await stepWorld();
    const url = `${server.url}/app.git`;
    await world.prepare({ GIT_URL: url, GIT_REVISION: first });
    expect(await world.metadata()).toBe(`[source]
  type = "git"
  [source.metadata]
    repository = "${url}"
    revision = "${first}"
  [source.version]
    commit = "${first}"
`);
    expect(await git(['-C', world.paths.workspace, 'rev-list', '--count', 'HEAD'])).toBe('1');
    expect(parseSourceMessage(await world.terminationMessage())).toEqual({ type: 'git', id: first });
  });

  it('finds an abbreviated commit id', async () => {
    await using world = await stepWorld();
    await world.prepare({ GIT_URL: `${server.url}/app.git`, GIT_REVISION: first.slice(0, 8) });
    expect(await world.metadata()).toContain(`commit = "${first}"`);
  });

  it('03#125 names a revision that does not exist', async () => {
    await using world = await stepWorld();
    await expect(world.prepare({ GIT_URL: `${server.url}/app.git`, GIT_REVISION: 'doesnotexist' })).rejects.toThrow(
      /unable to fetch references for repository: .*doesnotexist/,
    );
  });

  it('brings one commit without its history', async () => {
    await using world = await stepWorld();
    await world.prepare({ GIT_URL: `${server.url}/app.git`, GIT_REVISION: second });
    expect(await git(['-C', world.paths.workspace, 'rev-list', '--count', 'HEAD'])).toBe('1');
  });

  it('finds a commit on a host that gives away only the tips of refs', async () => {
    await using old = await startGitHttpServer({ root: root.root, speaksVersion2: false });
    await using world = await stepWorld();
    await world.prepare({ GIT_URL: `${old.url}/app.git`, GIT_REVISION: first });
    expect(await world.read('index.js')).toBe('one\n');
  });

  it('names a commit that a force-push took away, and ends with an exit code of its own', async () => {
    await root.init('forced');
    await root.commit('forced', 'main', 'first');
    const lost = await root.commit('forced', 'main', 'second');
    const environment = { GIT_URL: `${server.url}/forced.git`, GIT_REVISION: lost };
    const rewritten = await root.git('forced', 'commit-tree', `${lost}^{tree}`, '-m', 'rewritten');
    await root.git('forced', 'update-ref', 'refs/heads/main', rewritten);
    await using before = await stepWorld();
    await before.prepare(environment);
    await root.git('forced', 'gc', '-q', '--prune=now');
    await using after = await stepWorld();
    const failure = await after.prepare(environment).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StepFailure);
    expect(failure).toMatchObject({
      exitCode: commitGoneExitCode,
      message: `unable to fetch references for repository: there is no commit ${lost}`,
    });
    await using other = await stepWorld();
    const missing = await other.prepare({ ...environment, GIT_REVISION: 'nope' }).catch((error: unknown) => error);
    expect(missing).not.toBeInstanceOf(StepFailure);
  });

  it('is fetched while the registry is asked, and stopped when that refuses', async () => {
    let waiting = 0;
    await using silent = await startGitHttpServer({
      root: root.root,
      respond: (_request, response) => {
        waiting += 1;
        response.once('close', () => (waiting -= 1));
        return true;
      },
    });
    await using world = await stepWorld();
    const environment = { GIT_URL: `${silent.url}/app.git`, GIT_REVISION: second, IMAGE_TAG: '127.0.0.1:1/app' };
    await expect(world.prepare(environment)).rejects.toThrow('Error verifying write access to "127.0.0.1:1/app"');
    expect(world.log.join('\n')).not.toContain('Cloning');
    await expect.poll(() => waiting).toBe(0);
  });

  it('03#126 keeps symbolic links and executable bits', async () => {
    await using world = await stepWorld();
    await world.prepare({ GIT_URL: `${server.url}/app.git`, GIT_REVISION: 'main' });
    expect(await readlink(join(world.paths.workspace, 'link.js'))).toBe('index.js');
    expect((await lstat(join(world.paths.workspace, 'bin/run'))).mode & 0o111).toBe(0o111);
  });

  it('03#127 brings submodules along, relative URLs and nested ones included, with the credentials of the host', async () => {
    await root.init('inner');
    await root.commit('inner', 'main');
    await root.init('middle');
    await root.commit('middle', 'main');
    await root.init('outer');
    await root.commit('outer', 'main');
    const add = (path: string, url: string) => (tree: string) =>
      git(['-C', tree, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', url, path]).then(
        () => undefined,
      );
    await commitTree('inner', async (tree) => await writeFile(join(tree, 'deep.txt'), 'deep'));
    await commitTree('middle', async (tree) => {
      await add('sub', join(root.root, 'inner.git'))(tree);
      await git(['-C', tree, 'config', '-f', '.gitmodules', 'submodule.sub.url', '../inner.git']);
    });
    await commitTree('outer', async (tree) => {
      await add('mid', join(root.root, 'middle.git'))(tree);
      await git(['-C', tree, 'config', '-f', '.gitmodules', 'submodule.mid.url', '../middle.git']);
    });
    await using world = await stepWorld();
    await world.secret('login', { username: 'ada', password: 'p:w' });
    await world.prepare(
      { GIT_URL: `${closed.url}/outer.git`, GIT_REVISION: 'main', GIT_INITIALIZE_SUBMODULES: 'true' },
      [`-basic-git=login=${closed.url}`],
    );
    expect(await world.read('mid/sub/deep.txt')).toBe('deep');
    expect(world.log).toContain('Updating submodule ../middle.git');
  });

  it('refuses submodules that want another transport', async () => {
    await root.init('bad');
    await root.commit('bad', 'main');
    await commitTree('bad', async (tree) => {
      await git(['-C', tree, 'update-index', '--add', '--cacheinfo', `160000,${first},sub`]);
      await mkdir(join(tree, 'sub'));
      await writeFile(
        join(tree, '.gitmodules'),
        '[submodule "sub"]\n\tpath = sub\n\turl = ext::sh -c touch% /tmp/pwned\n',
      );
    });
    await using world = await stepWorld();
    const env = { GIT_URL: `${server.url}/bad.git`, GIT_REVISION: 'main', GIT_INITIALIZE_SUBMODULES: 'true' };
    await expect(world.prepare(env)).rejects.toThrow(/updating submodules: .*(not allowed|ext)/);
  });

  it('03#119 sends basic credentials to the host they are for and keeps them out of the repository', async () => {
    await using world = await stepWorld();
    await world.secret('login', { username: 'ada', password: 'p:w' });
    await world.prepare({ GIT_URL: `${closed.url}/app.git`, GIT_REVISION: 'main' }, [`-basic-git=login=${closed.url}`]);
    expect(await world.read('index.js')).toBe('two\n');
    expect(await world.read('.git/config')).not.toMatch(/ada|p:w|Authorization/);
    expect(world.log.join('\n')).not.toContain('p:w');
  });

  it('03#118 takes the alphabetically first of two Secrets for one host', async () => {
    await using world = await stepWorld();
    await world.secret('b-wrong', { username: 'eve', password: 'x' });
    await world.secret('a-right', { username: 'ada', password: 'p:w' });
    await world.prepare({ GIT_URL: `${closed.url}/app.git`, GIT_REVISION: 'main' }, [
      `-basic-git=b-wrong=${closed.url}`,
      `-basic-git=a-right=${closed.host}`,
    ]);
    expect(await world.read('index.js')).toBe('two\n');
  });

  it('03#123 says what is missing when the host wants credentials and there are none', async () => {
    await using world = await stepWorld();
    await expect(world.prepare({ GIT_URL: `${closed.url}/app.git`, GIT_REVISION: 'main' })).rejects.toThrow(
      /invalid credentials for repository: authentication required: .*kpack.io\/git/,
    );
  });

  it('takes credentials out of the URL before anybody sees it', async () => {
    await using world = await stepWorld();
    const url = closed.url.replace('http://', 'http://ada:p%3Aw@');
    await world.prepare({ GIT_URL: `${url}/app.git`, GIT_REVISION: 'main' });
    expect(await world.read('index.js')).toBe('two\n');
    expect(`${world.log.join('\n')}${await world.metadata()}`).not.toContain('p%3Aw');
  });

  it('follows a redirect without taking the credentials to the other host', async () => {
    await using other = await startGitHttpServer({ root: root.root });
    await using moved = await startGitHttpServer({
      root: root.root,
      respond: (request, response) => {
        response.writeHead(301, { location: `${other.url}${request.url ?? ''}` }).end();
        return true;
      },
    });
    await using world = await stepWorld();
    await world.secret('login', { username: 'ada', password: 'p:w' });
    await world.prepare({ GIT_URL: `${moved.url}/app.git`, GIT_REVISION: 'main' }, [`-basic-git=login=${moved.url}`]);
    expect(await world.read('index.js')).toBe('two\n');
    expect(moved.requests.some(({ authorization }) => authorization !== undefined)).toBe(true);
    expect(other.requests.every(({ authorization }) => authorization === undefined)).toBe(true);
  });

  it.each(['--upload-pack=touch x', '-x', 'a..b', 'main~1', 'x y'])('refuses the revision %j', async (revision) => {
    await using world = await stepWorld();
    await expect(world.prepare({ GIT_URL: `${server.url}/app.git`, GIT_REVISION: revision })).rejects.toThrow(
      /git revision .* cannot be used/,
    );
  });

  it.each(['file:///etc', '/etc', 'ext::sh -c id', '--upload-pack=x', 'ssh://-oProxyCommand=id/x'])(
    'refuses the URL %j',
    async (url) => {
      await using world = await stepWorld();
      await expect(world.prepare({ GIT_URL: url, GIT_REVISION: 'main' })).rejects.toThrow(/git URL/);
    },
  );
});

describe.skipIf(sshdMissing !== undefined)(`a git source over ssh (${sshdMissing ?? 'real sshd'})`, () => {
  let sshd: SshServer;
  beforeAll(async () => {
    sshd = await startSshServer({ acceptsGitProtocol: true });
  }, 60_000);
  afterAll(async () => await sshd[Symbol.asyncDispose]());

  /** In a real pod the login is always `git`, which this machine does not have. */
  const clone = (world: StepWorld, trustUnknownHosts: boolean): Promise<void> =>
    fetchGit(
      {
        url: `ssh://git@${sshd.host}:${sshd.port}${root.root}/app.git`,
        revision: 'main',
        submodules: false,
        secrets: { basic: [], ssh: [`key=${sshd.host}:${sshd.port}`] },
        trustUnknownHosts,
        sshUser: sshd.username,
      },
      { ...world.paths, ...world.step([], {}), scratch: world.root },
    );

  it('03#122 trusts any host key when told so', async () => {
    await using world = await stepWorld();
    await world.secret('key', { 'ssh-privatekey': sshd.keys.ed25519.trimEnd() });
    await clone(world, true);
    expect(await world.read('index.js')).toBe('two\n');
  });

  it('03#121 accepts only the listed host key otherwise', async () => {
    await using world = await stepWorld();
    await world.secret('key', { 'ssh-privatekey': sshd.keys.ed25519, known_hosts: sshd.knownHosts.ed25519 });
    await clone(world, false);
    expect(await world.read('index.js')).toBe('two\n');
    await using other = await stepWorld();
    await other.secret('key', { 'ssh-privatekey': sshd.keys.ed25519, known_hosts: '[127.0.0.2]:1 ssh-ed25519 AAAA' });
    await expect(clone(other, false)).rejects.toThrow(
      /unable to fetch references for repository: .* is not in known_hosts; add its line/,
    );
  });

  it('03#128 says that credentials are missing for an ssh repository without key', async () => {
    await using world = await stepWorld();
    const env = { GIT_URL: `ssh://git@${sshd.host}:${sshd.port}${root.root}/app.git`, GIT_REVISION: 'main' };
    await expect(world.prepare(env)).rejects.toThrow(/repository/);
  });
});
