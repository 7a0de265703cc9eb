import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whichProgram } from '../../../infra/local/cluster/packages.ts';
import { type GitHttpServer, startGitHttpServer } from '../../support/git-http-server.ts';
import { type GitRoot, git, gitRoot } from '../../support/git-repository.ts';
import { lfsPointer, oidOf, startLfsHost } from '../../support/lfs-host.ts';
import { stepWorld } from '../../support/step-world.ts';

const missing = whichProgram('git-lfs') === undefined ? 'git-lfs is not installed' : undefined;
const content = 'large and binary';

describe.skipIf(missing !== undefined)(`files that LFS keeps (${missing ?? 'real git-lfs'})`, () => {
  let root: GitRoot;
  let host: GitHttpServer;
  let commit: string;

  beforeAll(async () => {
    root = await gitRoot();
    const login = { username: 'ada', password: 'p:w' };
    host = await startLfsHost({ root: root.root, login, contents: [content] });
    await root.init('app');
    await root.commit('app', 'main');
    const tree = join(root.root, 'tree');
    await git(['clone', '-q', join(root.root, 'app.git'), tree]);
    await writeFile(join(tree, '.gitattributes'), '*.bin filter=lfs diff=lfs merge=lfs -text\n');
    await writeFile(join(tree, 'a.bin'), lfsPointer(content));
    await git(['-C', tree, 'add', '-A']);
    await git(['-C', tree, 'commit', '-q', '-m', 'lfs']);
    await git(['-C', tree, 'push', '-q', 'origin', 'HEAD:main']);
    commit = await git(['-C', tree, 'rev-parse', 'HEAD']);
    await root.init('outer');
    await root.commit('outer', 'main');
    const modules = join(root.root, 'modules');
    await writeFile(modules, '[submodule "app"]\n\tpath = app\n\turl = ../app.git\n');
    const blob = await root.git('outer', 'hash-object', '-w', modules);
    for (const info of [`100644,${blob},.gitmodules`, `160000,${commit},app`])
      await root.git('outer', 'update-index', '--add', '--cacheinfo', info);
    const outer = await root.git('outer', 'commit-tree', await root.git('outer', 'write-tree'), '-m', 'x');
    await root.git('outer', 'update-ref', 'refs/heads/main', outer);
  });
  afterAll(async () => {
    await host[Symbol.asyncDispose]();
    await root[Symbol.asyncDispose]();
  });

  it.each(['main', 'its id'])('come with the login of the Secret, one header a request, at %s', async (revision) => {
    await using world = await stepWorld();
    await world.secret('login', { username: 'ada', password: 'p:w' });
    const before = host.requests.filter(({ url }) => url.endsWith('/objects/batch')).length;
    const env = { GIT_URL: `${host.url}/app.git`, GIT_REVISION: revision === 'main' ? revision : commit };
    await world.prepare(env, [`-basic-git=login=${host.url}`]);
    expect(await world.read('a.bin')).toBe(content);
    expect(await world.read('.git/config')).not.toMatch(/ada|p:w/);
    const batches = host.requests.filter(({ url }) => url.endsWith('/objects/batch')).slice(before);
    expect(batches.map(({ authorization }) => authorization)).toEqual([
      `Basic ${Buffer.from('ada:p:w').toString('base64')}`,
    ]);
  });

  it('come with the login in the URL', async () => {
    await using world = await stepWorld();
    const url = host.url.replace('http://', 'http://ada:p%3Aw@');
    await world.prepare({ GIT_URL: `${url}/app.git`, GIT_REVISION: 'main' });
    expect(await world.read('a.bin')).toBe(content);
  });

  it('come in submodules too', async () => {
    await using world = await stepWorld();
    await world.secret('login', { username: 'ada', password: 'p:w' });
    const env = { GIT_URL: `${host.url}/outer.git`, GIT_REVISION: 'main', GIT_INITIALIZE_SUBMODULES: 'true' };
    await world.prepare(env, [`-basic-git=login=${host.host}`]);
    expect(await world.read('app/a.bin')).toBe(content);
  });

  it('are asked for where the repository has moved to', async () => {
    await using moved = await startLfsHost({
      root: root.root,
      contents: [],
      respond: (request, response) => {
        response.writeHead(301, { location: `${host.url}${request.url ?? ''}` }).end();
        return true;
      },
    });
    await using world = await stepWorld();
    await world.secret('login', { username: 'ada', password: 'p:w' });
    const env = { GIT_URL: `${moved.url}/app.git`, GIT_REVISION: commit };
    await world.prepare(env, [`-basic-git=login=${host.url}`]);
    expect(await world.read('a.bin')).toBe(content);
  });

  it('say which Secret cannot be used when they cannot be had', async () => {
    await using open = await startLfsHost({
      root: root.root,
      contents: [],
      respond: (request, response) => {
        if (request.url?.includes('/lfs/') !== true) return false;
        response.writeHead(401, { 'www-authenticate': 'Basic realm="lfs"' }).end();
        return true;
      },
    });
    await using world = await stepWorld();
    await world.secret('login', { username: 'ada', password: 'hunter2\n' });
    const env = { GIT_URL: `${open.url}/app.git`, GIT_REVISION: commit };
    await expect(world.prepare(env, [`-basic-git=login=${open.url}`])).rejects.toThrow(
      /password of Secret login ends with a line break/,
    );
  });

  it.each([
    ['come with its login', 'p:w', /^yes$/, content],
    [
      'say which Secret is broken',
      'p:w\n',
      /keeps "a\.bin" with LFS, which does not give it: password of Secret files ends with a/,
      undefined,
    ],
    [
      'say which login is wanted',
      undefined,
      /not found\.; give the ServiceAccount a kubernetes\.io\/basic-auth Secret annotated/,
      undefined,
    ],
  ])('that are on another host, as .lfsconfig says, %s', async (_, password, answer, there) => {
    await using open = await startGitHttpServer({ root: root.root });
    const tree = join(root.root, 'elsewhere');
    await git(['clone', '-q', join(root.root, 'app.git'), tree]);
    await writeFile(join(tree, '.lfsconfig'), `[lfs]\n\turl = ${host.url}/app.git/info/lfs\n`);
    await git(['-C', tree, 'add', '-A']);
    await git(['-C', tree, 'commit', '-q', '-m', 'elsewhere']);
    await git(['-C', tree, 'push', '-q', 'origin', 'HEAD:elsewhere']);
    const id = await git(['-C', tree, 'rev-parse', 'HEAD']);
    await rm(tree, { recursive: true });
    await using world = await stepWorld();
    if (password !== undefined) await world.secret('files', { username: 'ada', password });
    const flags = password === undefined ? [] : [`-basic-git=files=${host.url}`];
    const work = world.prepare({ GIT_URL: `${open.url}/app.git`, GIT_REVISION: id }, flags);
    const said = await work.then(
      () => 'yes',
      (error: unknown) => (error as Error).message,
    );
    expect(said).toMatch(answer);
    expect(await world.read('a.bin')).toBe(there);
  });

  const lfs = (body: unknown): string => JSON.stringify(body);
  const object = (error: unknown): string => lfs({ objects: [{ oid: oidOf(content), size: content.length, error }] });
  it.each<[string, number, string, RegExp]>([
    [
      '401',
      401,
      '',
      /Git credentials for \S+ not found\.; give the ServiceAccount a kubernetes\.io\/basic-auth Secret/,
    ],
    ['403', 403, lfs({ message: 'Access forbidden.' }), /: Access forbidden\.; grant read access to its LFS files$/],
    [
      '404',
      404,
      lfs({ message: 'Not found.' }),
      /: Not found\.; push the file there \(git lfs push --all origin\), or/,
    ],
    ['422', 422, lfs({ message: 'Bad ref' }), /: Bad ref; look at the LFS storage of the repository/],
    ['500', 500, '', /: Fatal error: Server error: \S+; have it built again once its host is well$/],
    ['509', 509, '', /: Bandwidth limit exceeded: \S+; have it built again later$/],
    ['a web page', 200, '<html>', /: Expected JSON type, got: "text\/html"; look at the LFS storage/],
    ['an object that is gone', 200, object({ code: 404, message: 'Object does not exist' }), /push the file there/],
  ])('say in one sentence why they cannot be had: %s', async (_, status, body, why) => {
    await using host = await startLfsHost({
      root: root.root,
      contents: [],
      respond: (request, response) => {
        if (request.url?.includes('/lfs/') !== true) return false;
        const type = body.startsWith('{') ? 'application/vnd.git-lfs+json' : 'text/html';
        response.writeHead(status, { 'content-type': type }).end(body);
        return true;
      },
    });
    await using world = await stepWorld();
    const said = world.prepare({ GIT_URL: `${host.url}/app.git`, GIT_REVISION: commit });
    await expect(said).rejects.toThrow(/^checking out revision: \S+ keeps "a\.bin" with LFS, which does not give it: /);
    await expect(said).rejects.toThrow(why);
  });
});
