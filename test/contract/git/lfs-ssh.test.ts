import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { whichProgram } from '../../../infra/local/cluster/packages.ts';
import type { GitHttpServer } from '../../support/git-http-server.ts';
import { type GitRoot, git, gitRoot } from '../../support/git-repository.ts';
import { lfsPointer, startLfsHost } from '../../support/lfs-host.ts';
import { type SshServer, sshdMissing, startSshServer } from '../../support/ssh-server.ts';
import { type StepWorld, stepWorld } from '../../support/step-world.ts';

const missing = sshdMissing ?? (whichProgram('git-lfs') === undefined ? 'git-lfs is not installed' : undefined);
const content = 'large and binary';
const login = { username: 'lfs', password: 'for-an-hour' };

/** What the server is asked, a line a call; the last of them answers with `answer`, which a test may change. */
const authenticate = (folder: string): string => `#!/bin/sh
printf '%s\\n' "$*" >> '${folder}/asked'
. '${folder}/answer'
`;

describe.skipIf(missing !== undefined)(`files that LFS keeps, over ssh (${missing ?? 'real sshd and git-lfs'})`, () => {
  let root: GitRoot;
  let files: GitHttpServer;
  let server: SshServer;
  let world: StepWorld;
  const at = (name: string): string => join(root.root, 'bin', name);
  const answers = (script: string): Promise<void> => writeFile(at('answer'), `${script}\n`);
  const asked = (): Promise<string> => readFile(at('asked'), 'utf8').catch(() => '');

  beforeAll(async () => {
    root = await gitRoot();
    await mkdir(at(''));
    await writeFile(at('git-lfs-authenticate'), authenticate(at('')));
    await chmod(at('git-lfs-authenticate'), 0o755);
    files = await startLfsHost({ root: root.root, login, contents: [content] });
    server = await startSshServer({ acceptsGitProtocol: true, lines: [`SetEnv PATH=${at('')}:/usr/bin:/bin`] });
    await root.init('app');
    await root.commit('app', 'main');
    const tree = join(root.root, 'tree');
    await git(['clone', '-q', join(root.root, 'app.git'), tree]);
    await writeFile(join(tree, '.gitattributes'), '*.bin filter=lfs diff=lfs merge=lfs -text\n');
    await writeFile(join(tree, 'a.bin'), lfsPointer(content));
    await git(['-C', tree, 'add', '-A']);
    await git(['-C', tree, 'commit', '-q', '-m', 'lfs']);
    await git(['-C', tree, 'push', '-q', 'origin', 'HEAD:main']);
  }, 60_000);
  afterAll(async () => {
    await files[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    await root[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    await rm(at('asked'), { force: true });
    world = await stepWorld();
    await world.secret('key', { 'ssh-privatekey': server.keys.ed25519, known_hosts: server.knownHosts.ed25519 });
    return () => world[Symbol.asyncDispose]();
  });

  const prepare = (path = `${root.root}/app.git`): Promise<void> => {
    const place = `${server.host}:${server.port}`;
    const env = { GIT_URL: `ssh://${server.username}@${place}${path}`, GIT_REVISION: 'main' };
    return world.prepare(env, [`-ssh-git=key=${place}`]);
  };
  const header = `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`;
  const granted = (): string =>
    `printf '%s' '${JSON.stringify({ href: `${files.url}/app.git/info/lfs`, header: { Authorization: header }, expires_in: 3600 })}'`;

  it('come with the login that git-lfs-authenticate hands out, asked with the key of the Secret', async () => {
    await answers(granted());
    await prepare();
    expect(await world.read('a.bin')).toBe(content);
    expect(await asked()).toBe(`${root.root}/app.git download\n`);
    expect(await world.read('.git/config')).not.toMatch(/for-an-hour|PRIVATE/);
  });

  it.each([
    ['refuses', "echo 'ERROR: you may not' >&2; exit 1", 'ERROR: you may not: exit status 1'],
    ['is not there', "echo 'git-lfs-authenticate: command not found' >&2; exit 127", 'command not found'],
    ['says something else', 'echo welcome', 'invalid character'],
  ])('say so in one sentence where git-lfs-authenticate %s', async (_, script, why) => {
    await answers(script);
    const said = await prepare().catch((error: unknown) => (error as Error).message);
    expect(said).toMatch(/^checking out revision: ssh:\/\/\S+ keeps "a\.bin" with LFS, which does not give it: /);
    expect(said).toContain(why);
    expect(said).toMatch(/; its ssh server has to answer git-lfs-authenticate: let it, or give the URL for https/);
  });

  it('come where the host has more to say beside', async () => {
    await answers(`echo 'Welcome to the host!' >&2; ${granted()}`);
    await prepare();
    expect(await world.read('a.bin')).toBe(content);
  });
});
