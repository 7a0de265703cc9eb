import { execFile } from 'node:child_process';
import { appendFile, copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whichProgram } from '../../../infra/local/cluster/packages.ts';
import { credentialFrom } from '../../../lib/git/credentials.ts';
import { refLister } from '../../../lib/git/list-refs.ts';
import { parseGitUrl } from '../../../lib/git/url.ts';
import { inParallel } from '../../../lib/oci/in-parallel.ts';
import { readSshKey } from '../../../lib/secrets/ssh-key/read.ts';
import { fetchGit } from '../../../lib/steps/prepare/git-source.ts';
import { type GitRoot, gitRoot } from '../../support/git-repository.ts';
import { openGitWay } from '../../support/open-egress.ts';
import { opensslFiles, testKeys } from '../../support/ssh-keys.ts';
import { type SshServer, sshdMissing, startSshServer } from '../../support/ssh-server.ts';
import { stepWorld } from '../../support/step-world.ts';

const run = promisify(execFile);
const missing = sshdMissing ?? (whichProgram('puttygen') === undefined ? 'puttygen is not installed' : undefined);

/** Both answer with the same words; the pod says first what it was about to do. */
interface Answers {
  readonly resolver: string;
  readonly pod: string;
}

describe.skipIf(missing !== undefined)(`resolver and pod about a key (${missing ?? 'real sshd'})`, () => {
  let root: GitRoot;
  let server: SshServer;
  const files: { readonly name: string; readonly bytes: Buffer }[] = [];

  beforeAll(async () => {
    root = await gitRoot();
    await root.init('app');
    await root.commit('app', 'main');
    // Many keys are tried at once, and a server takes few that are not logged in yet.
    server = await startSshServer({ acceptsGitProtocol: true, lines: ['MaxStartups 100'] });
    const written = join(server.directory, 'written');
    for (const key of testKeys()) {
      const [pkcs8 = '', older] = opensslFiles(key);
      const read = readSshKey(pkcs8);
      await writeFile(written, 'openssh' in read ? read.openssh : '', { mode: 0o600 });
      const { stdout } = await run('ssh-keygen', ['-y', '-P', '', '-f', written]);
      await appendFile(join(server.directory, 'authorized_keys'), stdout);
      files.push({ name: `${key.name} in PKCS#8`, bytes: Buffer.from(pkcs8) });
      if (older !== undefined) files.push({ name: `${key.name} in its older form`, bytes: Buffer.from(older) });
    }
    for (const version of ['2', '3']) {
      const putty = `${written}.ppk`;
      const client = join(server.directory, 'client-ed25519');
      await run('puttygen', [client, '-O', 'private', '-o', putty, '--ppk-param', `version=${version}`]);
      files.push({ name: `Ed25519 of PuTTY ${version}`, bytes: await readFile(putty) });
    }
    const { ed25519, rsa } = server.keys;
    files.push(
      { name: 'CRLF', bytes: Buffer.from(rsa.replaceAll('\n', '\r\n')) },
      { name: 'a byte order mark', bytes: Buffer.from(`\uFEFF${ed25519}`) },
      { name: 'UTF-16', bytes: Buffer.from(`\uFEFF${ed25519}`, 'utf16le') },
      { name: 'leading blanks', bytes: Buffer.from(`\n\n  ${ed25519.replaceAll('\n', '\n  ')}`) },
      { name: 'no last line break', bytes: Buffer.from(ed25519.trimEnd()) },
      {
        name: 'a comment in Latin-1',
        bytes: Buffer.concat([Buffer.from('# Schl\xfcssel\n', 'latin1'), Buffer.from(ed25519)]),
      },
    );
  }, 120_000);
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await root[Symbol.asyncDispose]();
  });

  const ask = async (
    key: Buffer,
    knownHosts = server.knownHosts.ed25519,
    user = server.username,
    { host, port } = server,
  ): Promise<Answers> => {
    const annotation = `${host}:${port}`;
    const url = `ssh://${user}@${annotation}${root.root}/app.git`;
    const data = { 'ssh-privatekey': key.toString('base64'), known_hosts: Buffer.from(knownHosts).toString('base64') };
    const secret = {
      metadata: { name: 'key', annotations: { 'kpack.io/git': annotation } },
      type: 'kubernetes.io/ssh-auth',
      data,
    };
    const lister = refLister(openGitWay, { deadlineSeconds: 60, trustUnknownHosts: false });
    const listed = async (): Promise<unknown> =>
      lister({ url: parseGitUrl(url), credential: credentialFrom(secret, parseGitUrl(url)), prefixes: [] });
    await using world = await stepWorld();
    for (const [name, value] of Object.entries(data))
      await world.secret('key', { [name]: Buffer.from(value, 'base64') as unknown as string });
    const source = {
      url,
      revision: 'main',
      submodules: false,
      secrets: { basic: [], ssh: [`key=${annotation}`] },
      trustUnknownHosts: false,
    };
    const place = { ...world.paths, ...world.step([], {}), scratch: world.root };
    const said = (work: Promise<unknown>): Promise<string> =>
      work.then(
        () => 'yes',
        (error: unknown) => (error as Error).message.replace(/^[^:]*repository: (?:authentication required: )?/u, ''),
      );
    const [resolver, pod] = await Promise.all([said(listed()), said(fetchGit(source, place))]);
    return { resolver, pod };
  };

  it('both take it in whatever form it is, and by the user that the URL names', async () => {
    const answers = new Map<string, Answers>();
    await inParallel(files, 3, async ({ name, bytes }) => void answers.set(name, await ask(bytes)));
    const yes: Answers = { resolver: 'yes', pod: 'yes' };
    expect(Object.fromEntries(answers)).toEqual(Object.fromEntries(files.map(({ name }) => [name, yes])));
    expect(answers.size).toBe(17);
  });

  it('both speak with a host whose key signs with SHA-1 alone', async () => {
    const lines = ['HostKeyAlgorithms ssh-rsa'];
    await using old = await startSshServer({ acceptsGitProtocol: true, lines });
    expect(await ask(Buffer.from(old.keys.rsa), old.knownHosts.rsa, old.username, old)).toEqual({
      resolver: 'yes',
      pod: 'yes',
    });
  });

  it('both refuse it with the same words when it cannot be used', async () => {
    const encrypted = join(server.directory, 'encrypted');
    await copyFile(join(server.directory, 'client-rsa'), encrypted);
    await run('ssh-keygen', ['-q', '-p', '-P', '', '-N', 'passphrase', '-m', 'PEM', '-f', encrypted]);
    for (const [bytes, why] of [
      [await readFile(encrypted), /^ssh-privatekey of Secret key is encrypted/],
      [await readFile(join(server.directory, 'client-rsa.pub')), /^ssh-privatekey of Secret key is a public key/],
      [Buffer.from(server.keys.rsa.slice(0, 500)), /^ssh-privatekey of Secret key is cut off/],
      [Buffer.from(' \n'), /^Secret key has no ssh-privatekey/],
    ] as const) {
      const { resolver, pod } = await ask(bytes);
      expect(resolver).toMatch(why);
      expect(pod).toBe(resolver);
    }
  });

  it('both say that the host refuses it, or that the user is another', async () => {
    const stranger = Buffer.from(opensslFiles(testKeys()[4] ?? { privateKey: undefined as never })[0] ?? '');
    const refused = await ask(stranger);
    expect(refused.resolver).toMatch(/refused the key of Secret key for the user that the URL names; register/);
    expect(refused.pod).toBe(refused.resolver);
    const nobody = await ask(Buffer.from(server.keys.ed25519), undefined, 'somebody-else');
    expect(nobody.resolver).toMatch(/refused the key/);
    expect(nobody.pod).toBe(nobody.resolver);
  });

  it.each([
    ['with CRLF', (lines: string) => lines.replaceAll('\n', '\r\n'), 'yes'],
    ['with a byte order mark', (lines: string) => `\uFEFF${lines}`, 'yes'],
    ['of another host', () => 'other.example ssh-ed25519 AAAA\n', 'is not in known_hosts'],
    ['that is broken', () => '\u0000\u0001 rubbish', 'is not in known_hosts'],
  ])('both obey known_hosts %s', async (_, change, expected) => {
    const { resolver, pod } = await ask(Buffer.from(server.keys.ed25519), change(server.knownHosts.ed25519));
    expect(
      [resolver, pod].map((said) => said.includes(expected) || said.includes('is not in known_hosts of Secret')),
    ).toEqual([true, true]);
  });
});
