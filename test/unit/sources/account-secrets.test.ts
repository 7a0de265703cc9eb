import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { refLister } from '../../../lib/git/list-refs.ts';
import { type GitHttpServer, startGitHttpServer } from '../../support/git-http-server.ts';
import { type GitRoot, gitRoot } from '../../support/git-repository.ts';
import { openGitWay } from '../../support/open-egress.ts';
import { type SourceWorld, sourceWorld } from '../../support/source-world.ts';
import { type StateTables, stateTables } from '../../support/state-table.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('the Secrets of an account', () => {
  let state: StateTables;
  let root: GitRoot;
  let closed: GitHttpServer;
  let moved: GitHttpServer;
  let world: SourceWorld;
  let commit: string;

  beforeAll(async () => {
    state = await stateTables();
    root = await gitRoot();
    await root.init('app');
    commit = await root.commit('app', 'main');
    closed = await startGitHttpServer({ root: root.root, login: { username: '', password: 'token' } });
    moved = await startGitHttpServer({
      root: root.root,
      respond: (request, response) => {
        response.writeHead(301, { location: `${closed.url}${request.url ?? ''}` }).end();
        return true;
      },
    });
  });
  afterAll(async () => {
    await moved[Symbol.asyncDispose]();
    await closed[Symbol.asyncDispose]();
    await root[Symbol.asyncDispose]();
    await state[Symbol.asyncDispose]();
  });

  const secret = (name: string, host: string, type: string, data: Readonly<Record<string, string>>): void =>
    world.put('secrets', {
      metadata: { name, namespace: 'team', annotations: { 'kpack.io/git': host } },
      type: `kubernetes.io/${type}`,
      data,
    });
  beforeEach(async () => {
    world = sourceWorld(await state.empty(), {
      listRefs: refLister(openGitWay, { deadlineSeconds: 5, trustUnknownHosts: true }),
    });
    const names = ['bytes', 'key', 'odd', 'first', 'second', 'gone'];
    world.put('serviceaccounts', {
      metadata: { name: 'account', namespace: 'team' },
      secrets: names.map((name) => ({ name })),
    });
    secret('bytes', 'other.example', 'basic-auth', { username: '//79', password: '//79' });
    secret('key', 'other.example', 'ssh-auth', { 'ssh-privatekey': base64('garbage') });
    secret('odd', 'https://host/with?a=b', 'basic-auth', { username: base64('a\nb') });
    secret('first', moved.host, 'basic-auth', { username: base64('me'), password: base64('x') });
    secret('second', closed.host, 'basic-auth', { password: base64('token') });
  });

  const follow = async (url: string): Promise<unknown> => {
    world.apply('app', { git: { url, revision: 'main' } }, { serviceAccount: 'account' });
    await world.resolve('app');
    return world.statusOf('app');
  };

  it('that are broken harm no source of another host, and a password alone is a login', async () => {
    expect(await follow(`${closed.url}/app.git`)).toMatchObject({
      conditions: [{ type: 'Ready', status: 'True' }, {}],
      source: { git: { revision: commit } },
    });
  });

  it('are asked for the host that a redirect leads to, by the resolver and by the shared poll', async () => {
    expect(await follow(`${moved.url}/app.git`)).toMatchObject({ source: { git: { revision: commit } } });
    world.later(63);
    const poll = (await world.due()).map(({ target }) => target).find(({ kind }) => kind === 'GitPoll');
    if (poll === undefined) throw new Error('no poll is due');
    expect(await world.poll(poll)).toBe('unchanged');
  });

  it.each([
    [
      'basic-auth',
      (host: string) => `http://${host}/app.git`,
      { username: '//79' },
      'SecretInvalid',
      'username of Secret a-broken is not text',
    ],
    [
      'ssh-auth',
      (host: string) => `ssh://git@${host}/app.git`,
      { 'ssh-privatekey': base64('ssh-rsa AAAAB3Nz me') },
      'SshKeyInvalid',
      'ssh-privatekey of Secret a-broken is a public key',
    ],
  ])('that is broken and speaks for the host is told of: %s', async (type, url, data, reason, message) => {
    world.put('serviceaccounts', { metadata: { name: 'account', namespace: 'team' }, secrets: [{ name: 'a-broken' }] });
    secret('a-broken', closed.host, type, data);
    expect(await follow(url(closed.host))).toMatchObject({
      conditions: [{ status: 'False', reason, message: expect.stringContaining(message) as string }, {}],
    });
  });
});
