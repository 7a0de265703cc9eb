import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GitHttpOptions, type GitHttpServer, startGitHttpServer } from '../../support/git-http-server.ts';
import { type GitRoot, git, gitRoot } from '../../support/git-repository.ts';
import { stepWorld } from '../../support/step-world.ts';

let root: GitRoot;
let closed: GitHttpServer;
let commit: string;
const ada = { username: 'ada', password: 'p:w' };
const adas = 'Basic YWRhOnA6dw==';

/** A bare repository whose branch main holds one file, and maybe submodules. */
const repository = async (
  name: string,
  submodules: Readonly<Record<string, { readonly url: string; readonly commit: string }>> = {},
  more = '',
): Promise<string> => {
  const bare = await root.init(name);
  const modules = Object.entries(submodules).map(
    ([path, { url }]) => `[submodule "${path}"]\n\tpath = ${path}\n\turl = ${url}\n${more}`,
  );
  const entries = { 'name.txt': name, ...(modules.length === 0 ? {} : { '.gitmodules': modules.join('') }) };
  for (const [path, text] of Object.entries(entries)) {
    const file = join(root.root, 'content');
    await writeFile(file, text);
    const blob = await git(['-C', bare, 'hash-object', '-w', file]);
    await git(['-C', bare, 'update-index', '--add', '--cacheinfo', `100644,${blob},${path}`]);
  }
  for (const [path, { commit: id }] of Object.entries(submodules))
    await git(['-C', bare, 'update-index', '--add', '--cacheinfo', `160000,${id},${path}`]);
  const made = await git(['-C', bare, 'commit-tree', await git(['-C', bare, 'write-tree']), '-m', name]);
  await git(['-C', bare, 'update-ref', 'refs/heads/main', made]);
  return made;
};

const serve = (options: Partial<GitHttpOptions>): Promise<GitHttpServer> =>
  startGitHttpServer({ root: root.root, ...options });
/** A host that sends everybody elsewhere. */
const movedTo = (to: () => string, status = 301): Promise<GitHttpServer> =>
  serve({
    respond: (request, response) => {
      response.writeHead(status, { location: `${to()}${request.url ?? ''}` }).end();
      return true;
    },
  });

beforeAll(async () => {
  root = await gitRoot();
  closed = await serve({ login: ada });
  commit = await repository('app');
}, 60_000);
afterAll(async () => {
  await closed[Symbol.asyncDispose]();
  await root[Symbol.asyncDispose]();
});

const logins = (server: GitHttpServer): readonly (string | undefined)[] =>
  server.requests.map(({ authorization }) => authorization);

describe.each(['main', 'its id'])('a git source at %s', (at) => {
  const revision = (): string => (at === 'main' ? at : commit);

  it('is fetched where a redirect leads, with the Secret of that host', async () => {
    await using moved = await movedTo(() => closed.url);
    await using world = await stepWorld();
    await world.secret('other', { username: 'eve', password: 'x' });
    await world.secret('login', ada);
    const flags = [`-basic-git=other=${moved.url}`, `-basic-git=login=${closed.url}`];
    await world.prepare({ GIT_URL: `${moved.url}/app.git`, GIT_REVISION: revision() }, flags);
    expect(await world.read('name.txt')).toBe('app');
    expect(logins(moved)).not.toContain(adas);
    expect(await world.read('.git/config')).toContain(`url = "${moved.url}/app.git"`);
  });

  it('is fetched from a private repository that was renamed', async () => {
    await using renamed = await serve({
      login: ada,
      respond: (request, response) => {
        if (request.headers.authorization !== adas || request.url?.startsWith('/old') !== true) return false;
        response.writeHead(301, { location: (request.url ?? '').replace('/old', '/app.git') }).end();
        return true;
      },
    });
    await using world = await stepWorld();
    await world.secret('login', ada);
    await world.prepare({ GIT_URL: `${renamed.url}/old`, GIT_REVISION: revision() }, [
      `-basic-git=login=${renamed.host}`,
    ]);
    expect(await world.read('name.txt')).toBe('app');
  });

  it.each([
    ['a user name without a password', 'ada@', { username: 'ada', password: '' }],
    ['a token without a user name', ':t%25k@', { username: '', password: 't%k' }],
  ])('is opened by %s in its URL', async (_, written, login) => {
    await using host = await serve({ login });
    await using world = await stepWorld();
    const url = host.url.replace('http://', `http://${written}`);
    await world.prepare({ GIT_URL: `${url}/app.git`, GIT_REVISION: revision() });
    expect(await world.read('name.txt')).toBe('app');
  });

  it.each([
    ['password', { username: '', password: 'token' }],
    ['user name', { username: 'token', password: '' }],
  ])('is opened by a Secret that has a %s alone', async (_, login) => {
    await using host = await serve({ login });
    await using world = await stepWorld();
    await world.secret('login', Object.fromEntries(Object.entries(login).filter(([, value]) => value !== '')));
    await world.prepare({ GIT_URL: `${host.url}/app.git`, GIT_REVISION: revision() }, [`-basic-git=login=${host.url}`]);
    expect(await world.read('name.txt')).toBe('app');
  });

  it('is not in the way of Secrets for others that are broken', async () => {
    await using world = await stepWorld();
    await world.secret('login', ada);
    await world.secret('a-broken', { username: 'me', password: 'a\nb' });
    await world.secret('b-key', { known_hosts: '\u0000' });
    const broken = ['-basic-git=a-broken=git.example', '-ssh-git=b-key=git.example', '-basic-git=gone=other.example'];
    const odd = ['-basic-git=login=https://host/with/path', '-ssh-git=login=', `-ssh-git=b-key=${closed.host}`];
    const flags = [...broken, ...odd, `-basic-git=login=${closed.host}`, '-basic-docker=a-broken=registry.example'];
    await world.prepare({ GIT_URL: `${closed.url}/app.git`, GIT_REVISION: revision() }, flags);
    expect(await world.read('name.txt')).toBe('app');
  });

  it.each<[string, Partial<GitHttpOptions>, RegExp]>([
    [
      'is down',
      { respond: (_, response) => Boolean(response.writeHead(503).end()) },
      /is failing \(HTTP 503\); have it built again once its host is well/,
    ],
    [
      'has a page to log in on',
      { respond: (_, response) => Boolean(response.writeHead(302, { location: '/login' }).end()) },
      /invalid credentials for repository: .* to log in \(HTTP 302\)/,
    ],
    [
      'refuses',
      { respond: (_, response) => Boolean(response.writeHead(403).end('SAML SSO')) },
      /may not be read without credentials \(HTTP 403\), as its organisation/,
    ],
    [
      'has no such repository',
      { respond: (_, response) => Boolean(response.writeHead(404).end()) },
      /does not exist or may not be seen/,
    ],
    ['is none', { respond: (_, response) => Boolean(response.writeHead(200).end('hello')) }, /is not a git repository/],
  ])('says of a host that %s what the resolver says', async (_, options, why) => {
    await using host = await serve(options);
    await using world = await stepWorld();
    await expect(world.prepare({ GIT_URL: `${host.url}/app.git`, GIT_REVISION: revision() })).rejects.toThrow(why);
  });
});

describe('a repository of SHA-256', () => {
  it.each(['main', 'its id', 'a part of its id'])('is checked out at %s', async (at) => {
    const bare = join(root.root, `sha256-${at.length}.git`);
    await git(['init', '-q', '--bare', '--object-format=sha256', '-b', 'main', bare]);
    const file = join(root.root, 'content');
    await writeFile(file, 'sixty-four digits');
    const blob = await git(['-C', bare, 'hash-object', '-w', file]);
    await git(['-C', bare, 'update-index', '--add', '--cacheinfo', `100644,${blob},a.txt`]);
    const id = await git(['-C', bare, 'commit-tree', await git(['-C', bare, 'write-tree']), '-m', 'x']);
    await git(['-C', bare, 'update-ref', 'refs/heads/main', id]);
    const revision = { main: 'main', 'its id': id }[at] ?? id.slice(0, 10);
    await using open = await serve({});
    await using world = await stepWorld();
    await world.prepare({ GIT_URL: `${open.url}/sha256-${at.length}.git`, GIT_REVISION: revision });
    expect(await world.read('a.txt')).toBe('sixty-four digits');
    expect(await world.metadata()).toContain(`commit = "${id}"`);
  });
});

describe('a submodule', () => {
  const withSubmodules = { GIT_REVISION: 'main', GIT_INITIALIZE_SUBMODULES: 'true' };

  it('is fetched from another host with the Secret of that host, and where that redirects', async () => {
    await using open = await serve({});
    await using moved = await movedTo(() => closed.url, 302);
    await repository('with-moved', { sub: { url: `${moved.url}/app.git`, commit } });
    await using world = await stepWorld();
    await world.secret('login', ada);
    await world.prepare({ ...withSubmodules, GIT_URL: `${open.url}/with-moved.git` }, [
      `-basic-git=login=${closed.host}`,
    ]);
    expect(await world.read('sub/name.txt')).toBe('app');
    expect([...logins(open), ...logins(moved)].every((login) => login === undefined)).toBe(true);
  });

  it('opens with the login in the URL of the source, on the same host alone', async () => {
    await using open = await serve({});
    await repository('with-two', { a: { url: './app.git', commit }, b: { url: `${open.url}/app.git`, commit } });
    await using world = await stepWorld();
    const url = closed.url.replace('http://', 'http://ada:p%3Aw@');
    await expect(world.prepare({ ...withSubmodules, GIT_URL: `${url}/with-two.git` })).rejects.toThrow('updating');
    await repository('with-one', { a: { url: '../app.git', commit }, b: { url: `${open.url}/app.git`, commit } });
    await using again = await stepWorld();
    await again.prepare({ ...withSubmodules, GIT_URL: `${url}/with-one.git` });
    expect([await again.read('a/name.txt'), await again.read('b/name.txt')]).toEqual(['app', 'app']);
    expect(logins(open).every((login) => login === undefined)).toBe(true);
  });

  it('of SHA-1 may lie beside others that are not to be updated', async () => {
    await using open = await serve({});
    await repository('with-none', { sub: { url: '../nowhere.git', commit } }, '\tupdate = none\n');
    await using world = await stepWorld();
    await world.prepare({ ...withSubmodules, GIT_URL: `${open.url}/with-none.git` });
    expect(await world.read('sub/name.txt')).toBeUndefined();
  });

  it.each([
    ['a host that refuses', () => `${closed.url}/app.git`, /updating submodules: .* asks for credentials \(HTTP 401\)/],
    [
      'a repository that is not there',
      () => '../none.git',
      /updating submodules: .* does not exist or may not be seen/,
    ],
    ['a path above its host', () => '../../../../none.git', /updating submodules: .* climbs above its host/],
    [
      'a key that nobody has',
      () => 'git@127.0.0.1:a/b.git',
      /updating submodules: .* needs a key; give the ServiceAccount/,
    ],
  ])('that cannot be had is told of with its reason: %s', async (what, url, why) => {
    await using open = await serve({});
    const name = `with-${what.replaceAll(' ', '-')}`;
    await repository(name, { sub: { url: url(), commit } });
    await using world = await stepWorld();
    await expect(world.prepare({ ...withSubmodules, GIT_URL: `${open.url}/${name}.git` })).rejects.toThrow(why);
  });

  it('whose commit is gone is told of, and is not the commit of the Build', async () => {
    await using open = await serve({});
    await repository('with-gone', { sub: { url: '../app.git', commit: 'a'.repeat(40) } });
    await using world = await stepWorld();
    const failure = await world
      .prepare({ ...withSubmodules, GIT_URL: `${open.url}/with-gone.git` })
      .catch((e: unknown) => e);
    expect(failure).toMatchObject({ message: `updating submodules: there is no commit ${'a'.repeat(40)}` });
    expect(failure).not.toHaveProperty('exitCode');
  });
});

describe('a host that lists its refs and then fails', () => {
  it.each<[string, number, Readonly<Record<string, string>>, string, RegExp]>([
    ['401', 401, { 'www-authenticate': 'Basic realm="git"' }, '', /asks for credentials \(HTTP 401\); give the/],
    ['403', 403, {}, 'no', /may not be read without credentials \(HTTP 403\); grant read access/],
    ['404', 404, {}, '', /does not exist or may not be seen without credentials \(HTTP 404\)/],
    ['429', 429, {}, '', /asks to be left alone for a while \(HTTP 429\); have it built again once its host is well/],
    [
      '502',
      502,
      { 'content-type': 'text/html' },
      '<html>',
      /is failing \(HTTP 502\); have it built again once its host/,
    ],
    ['an answer of nothing', 200, {}, '', /git says: .*expected 'packfile'; have it built again once its host is well/],
    [
      'its own words',
      200,
      {},
      '0026ERR You are not allowed to do that',
      /You are not allowed to do that.*; grant read access/,
    ],
  ])('is told with what to do: %s', async (_, status, headers, body, message) => {
    let posts = 0;
    await using host = await serve({
      respond: ({ method }, response) => {
        if (method !== 'POST') return false;
        posts += 1;
        if (posts === 1) return false;
        response.writeHead(status, { 'content-type': 'application/x-git-upload-pack-result', ...headers }).end(body);
        return true;
      },
    });
    await using world = await stepWorld();
    const work = world.prepare({ GIT_URL: `${host.url}/app.git`, GIT_REVISION: 'main' });
    await expect(work).rejects.toThrow(message);
  });
});
