import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SshCredential } from '../../../lib/git/credentials.ts';
import { refLister } from '../../../lib/git/list-refs.ts';
import type { GitRef } from '../../../lib/git/refs.ts';
import { parseGitUrl } from '../../../lib/git/url.ts';
import { type GitRoot, git, gitRoot } from '../../support/git-repository.ts';
import { openGitWay } from '../../support/open-egress.ts';
import { type SshServer, sshdMissing, startSshServer } from '../../support/ssh-server.ts';

const asLsRemote = (refs: readonly GitRef[]): readonly string[] =>
  refs.flatMap(({ name, hash, peeled }) => [
    `${hash}\t${name}`,
    ...(peeled === undefined ? [] : [`${peeled}\t${name}^{}`]),
  ]);

describe.skipIf(sshdMissing !== undefined)(`refs over ssh (${sshdMissing ?? 'real sshd'})`, () => {
  let root: GitRoot;
  let modern: SshServer;
  let stock: SshServer;

  beforeAll(async () => {
    root = await gitRoot();
    await root.init("it's");
    const first = await root.commit("it's", 'main');
    await root.commit("it's", 'feature/x');
    await root.git("it's", 'tag', '-a', '-m', 'v1', 'v1', first);
    modern = await startSshServer({ acceptsGitProtocol: true });
    stock = await startSshServer({ acceptsGitProtocol: false });
  });
  afterAll(async () => {
    await modern[Symbol.asyncDispose]();
    await stock[Symbol.asyncDispose]();
    await root[Symbol.asyncDispose]();
  });

  const urlOf = (server: SshServer, name = "it's"): string =>
    `ssh://git@${server.host}:${server.port}${root.root}/${name}.git`;
  const credentialOf = (server: SshServer, more: Partial<SshCredential> = {}): SshCredential => ({
    kind: 'ssh',
    secretName: 'key',
    username: server.username,
    privateKey: server.keys.ed25519,
    knownHosts: server.knownHosts.ed25519,
    ...more,
  });
  const list = (
    server: SshServer,
    credential: SshCredential,
    { url = urlOf(server), prefixes = [] as readonly string[], trustUnknownHosts = false } = {},
  ) =>
    refLister(openGitWay, { deadlineSeconds: 10, trustUnknownHosts })({ url: parseGitUrl(url), credential, prefixes });
  const lsRemote = (server: SshServer): Promise<string> =>
    git(['ls-remote', `ssh://${server.username}@${server.host}:${server.port}${root.root}/it's.git`], {
      GIT_SSH_COMMAND: `ssh -F /dev/null -i ${server.directory}/client-ed25519 -o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no -o LogLevel=ERROR`,
    });

  it('agree with git ls-remote in protocol version 2, a quote in the path included', async () => {
    const refs = await list(modern, credentialOf(modern));
    expect(asLsRemote(refs)).toEqual((await lsRemote(modern)).split('\n'));
    expect(refs[0]).toMatchObject({ name: 'HEAD', symrefTarget: 'refs/heads/main' });
  });

  it('agree with git ls-remote on a server that does not pass GIT_PROTOCOL on', async () => {
    expect(asLsRemote(await list(stock, credentialOf(stock)))).toEqual((await lsRemote(stock)).split('\n'));
  });

  it('are narrowed to prefixes on both', async () => {
    const wanted = { prefixes: ['refs/heads/'] };
    for (const server of [modern, stock]) {
      const names = (await list(server, credentialOf(server), wanted)).map(({ name }) => name);
      expect(names).toEqual(['refs/heads/feature/x', 'refs/heads/main']);
    }
  });

  it.each(['ed25519', 'ecdsa', 'rsa'] as const)(
    'open with an %s key and a known_hosts line of that type',
    async (type) => {
      const credential = credentialOf(modern, { privateKey: modern.keys[type], knownHosts: modern.knownHosts[type] });
      expect(await list(modern, credential)).toHaveLength(4);
    },
  );

  it('say key-refused when the host does not know the key', async () => {
    const credential = credentialOf(modern, { privateKey: stock.keys.ed25519 });
    await expect(list(modern, credential)).rejects.toMatchObject({ code: 'key-refused', pace: 'slow' });
  });

  it('say host-key-mismatch when known_hosts names another key, even where unknown hosts are trusted', async () => {
    const [, ...key] = stock.knownHosts.ed25519.split(' ');
    const knownHosts = `[127.0.0.1]:${modern.port} ${key.join(' ')}`;
    const attempt = list(modern, credentialOf(modern, { knownHosts }), { trustUnknownHosts: true });
    await expect(attempt).rejects.toMatchObject({ code: 'host-key-mismatch' });
  });

  it('02#211 are refused from a host that known_hosts does not name', async () => {
    const credential = credentialOf(modern, { knownHosts: stock.knownHosts.ed25519 });
    await expect(list(modern, credential)).rejects.toMatchObject({ code: 'host-key-unknown' });
  });

  it('02#212 are accepted from any host when unknown hosts are trusted and the Secret has no known_hosts', async () => {
    const { knownHosts: _, ...credential } = credentialOf(modern);
    expect(await list(modern, credential, { trustUnknownHosts: true })).toHaveLength(4);
  });

  it('say host-key-mismatch for a revoked key', async () => {
    const credential = credentialOf(modern, { knownHosts: `@revoked ${modern.knownHosts.ed25519}` });
    await expect(list(modern, credential, { trustUnknownHosts: true })).rejects.toThrow(/@revoked/);
  });

  it.each(['modern', 'stock'])('say not-found for a repository that is not there (%s server)', async (which) => {
    const server = which === 'modern' ? modern : stock;
    const attempt = list(server, credentialOf(server), { url: urlOf(server, 'none') });
    await expect(attempt).rejects.toMatchObject({ code: 'not-found' });
  });

  it('02#213 say key-invalid for a key that is garbage or encrypted', async () => {
    const { privateKey: encrypted } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'pkcs1', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs1', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' },
    });
    const broken = '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----';
    for (const privateKey of ['garbage', broken, encrypted]) {
      await expect(list(modern, credentialOf(modern, { privateKey }))).rejects.toMatchObject({ code: 'key-invalid' });
    }
  });

  it('say host-unreachable where nothing listens', async () => {
    const attempt = list(modern, credentialOf(modern), { url: 'ssh://git@127.0.0.1:1/r.git' });
    await expect(attempt).rejects.toMatchObject({ code: 'host-unreachable', pace: 'soon' });
  });
});
