/**
 * A known_hosts file that is given is obeyed, in the resolver and in the pod alike; a credential for https is never used for
 * http; nothing that was asked for over TLS comes in the clear.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Fetch } from '../../lib/egress/fetch.ts';
import { type GitSecret, matchingSecret } from '../../lib/git/credentials.ts';
import { GitError } from '../../lib/git/errors.ts';
import { refLister } from '../../lib/git/list-refs.ts';
import { parseGitUrl } from '../../lib/git/url.ts';
import { openRegistry } from '../../lib/oci/client.ts';
import { keychainFromSecrets } from '../../lib/oci/credentials.ts';
import type { Keychain } from '../../lib/oci/keychain.ts';
import { parseReference } from '../../lib/oci/reference.ts';
import { blobProber } from '../../lib/sources/probe-blob.ts';
import { keychainOf } from '../../lib/steps/docker-credentials.ts';
import { download } from '../../lib/steps/prepare/download.ts';
import { gitAccess } from '../../lib/steps/prepare/git-access.ts';
import { credentialAmong } from '../../lib/steps/prepare/git-secrets.ts';
import { fetchGit } from '../../lib/steps/prepare/git-source.ts';
import { anywhere, openGitWay } from '../support/open-egress.ts';
import { selfSigned } from '../support/self-signed.ts';
import { stepWorld } from '../support/step-world.ts';

const signal = AbortSignal.timeout(120_000);
const portOf = (server: { address(): AddressInfo | string | null }): number => (server.address() as AddressInfo).port;

describe('the host key of a git host', () => {
  const hostKey = ssh2.utils.generateKeyPairSync('ed25519');
  const otherKey = ssh2.utils.generateKeyPairSync('ed25519');
  const ownKey = ssh2.utils.generateKeyPairSync('ed25519');
  let server: InstanceType<typeof ssh2.Server>;
  let host: string;
  /** Logins that were tried: nobody tries before the host's key was accepted. */
  let logins = 0;
  beforeAll(async () => {
    server = new ssh2.Server({ hostKeys: [hostKey.private] }, (client) => {
      client.on('authentication', (context) => {
        logins += 1;
        context.reject();
      });
      client.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    host = `127.0.0.1:${portOf(server)}`;
  });
  afterAll(() => void server.close());

  const keyOf = ({ public: text }: { readonly public: string }): string => text.split(' ').slice(0, 2).join(' ');
  const named = (): string => `[127.0.0.1]:${host.split(':')[1] ?? ''}`;
  const hashed = (): string => {
    const salt = randomBytes(20);
    return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(named()).digest('base64')}`;
  };

  const inResolver = async (knownHosts: string): Promise<string> => {
    const credential = {
      kind: 'ssh',
      secretName: 'key',
      username: 'git',
      privateKey: ownKey.private,
      ...(knownHosts === '' ? {} : { knownHosts }),
    } as const;
    const list = refLister(openGitWay, { deadlineSeconds: 20, trustUnknownHosts: true });
    const failure: unknown = await list({
      url: parseGitUrl(`ssh://git@${host}/a.git`),
      credential,
      prefixes: [],
    }).catch((error: unknown) => error);
    return failure instanceof GitError ? failure.code : String(failure);
  };

  const inPod = async (knownHosts: string): Promise<string> => {
    await using world = await stepWorld();
    await world.secret('key', {
      'ssh-privatekey': ownKey.private,
      ...(knownHosts === '' ? {} : { known_hosts: knownHosts }),
    });
    const source = {
      url: `ssh://git@${host}/a.git`,
      revision: 'main',
      submodules: false,
      secrets: { basic: [], ssh: [`key=${host}`] },
      trustUnknownHosts: true,
    };
    const failure: unknown = await fetchGit(source, {
      ...world.paths,
      ...world.step([], {}),
      scratch: world.root,
    }).catch((error: unknown) => error);
    return (failure as Error).message;
  };

  it.each<[string, () => string, 'changed' | 'known' | 'revoked' | 'unknown']>([
    ['nobody gave any', () => '', 'known'],
    ['a line names host and key', () => `${named()} ${keyOf(hostKey)}\n`, 'known'],
    ['a hashed line does', () => `${hashed()} ${keyOf(hostKey)}`, 'known'],
    [
      'one of several lines does',
      () => `# ours\nother.example ${keyOf(otherKey)}\n${named()} ${keyOf(hostKey)}\n`,
      'known',
    ],
    ['a line names another key', () => `${named()} ${keyOf(otherKey)}\n`, 'changed'],
    ['a hashed line names another key', () => `${hashed()} ${keyOf(otherKey)}\n`, 'changed'],
    ['lines name other hosts', () => `other.example ${keyOf(hostKey)}\n`, 'unknown'],
    ['a line names the host without its port', () => `127.0.0.1 ${keyOf(hostKey)}\n`, 'known'],
    ['a line names the host at another port', () => `[127.0.0.1]:1 ${keyOf(hostKey)}\n`, 'unknown'],
    ['there are only comments', () => '# nothing yet\n', 'unknown'],
    ['a line names an authority for the host', () => `@cert-authority ${named()} ${keyOf(otherKey)}\n`, 'unknown'],
    ['the key is revoked', () => `@revoked * ${keyOf(hostKey)}\n${named()} ${keyOf(hostKey)}\n`, 'revoked'],
  ])(
    'counts the same for resolver and pod, though the installation trusts unknown hosts, when %s',
    async (_, file, verdict) => {
      const codes = {
        known: 'key-refused',
        changed: 'host-key-mismatch',
        revoked: 'host-key-mismatch',
        unknown: 'host-key-unknown',
      };
      const words = {
        known: /invalid credentials for repository/,
        changed: /shows another host key than known_hosts/,
        revoked: /@revoked|another host key/,
        unknown: /is not in known_hosts; add its line/,
      };
      logins = 0;
      expect(await inResolver(file())).toBe(codes[verdict]);
      expect(await inPod(file())).toMatch(words[verdict]);
      expect(logins > 0).toBe(verdict === 'known');
    },
  );
});

describe('a credential annotated for https', () => {
  const secret = (annotation: string) => ({
    metadata: { name: 's', annotations: { 'kpack.io/git': annotation } },
    type: 'kubernetes.io/basic-auth',
    data: {},
  });
  const mounted = (annotation: string): GitSecret => ({
    name: 's',
    type: 'kubernetes.io/basic-auth',
    annotation,
    bytes: (key) => Buffer.from(key),
  });
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kpackless-hosts-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each([
    ['https://git.example', 'https://git.example/a', true],
    ['https://git.example', 'http://git.example/a', false],
    ['http://git.example', 'http://git.example/a', true],
    ['http://git.example', 'https://git.example/a', true],
    ['git.example', 'http://git.example/a', true],
    ['https://git.example:8443', 'http://git.example:8443/a', false],
  ])('%s opens %s: %s, for resolver and pod alike', async (annotation, url, opens) => {
    expect(matchingSecret([secret(annotation)], parseGitUrl(url)) !== undefined).toBe(opens);
    expect(credentialAmong([mounted(annotation)], parseGitUrl(url)) !== undefined).toBe(opens);
    const access = await gitAccess(parseGitUrl(url), [mounted(annotation)], {
      scratch: folder,
      trustUnknownHosts: true,
    });
    const helpers = access.settings.filter(([key]) => key.startsWith('credential.'));
    expect(helpers.some(([key]) => key === `credential.${new URL(url).origin}.helper`)).toBe(opens);
    expect(helpers.some(([key]) => key.startsWith('credential.http://'))).toBe(!annotation.startsWith('https://'));
  });

  it('or written into an https URL is not given for http, where a redirect or a submodule may lead', async () => {
    const url = parseGitUrl('https://u:p@git.example/a');
    const access = await gitAccess(url, [], { scratch: folder, trustUnknownHosts: true });
    const helpers = access.settings.filter(([key]) => key.startsWith('credential.'));
    expect(helpers.map(([key]) => key)).toEqual(['credential.https://git.example.helper']);
  });

  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const fromSecret = (key: string): Keychain =>
    keychainFromSecrets({
      accountSecrets: [
        {
          metadata: { name: 's', annotations: { 'kpack.io/docker': key } },
          type: 'kubernetes.io/basic-auth',
          data: { username: base64('u'), password: base64('p') },
        },
      ],
    });
  const fromPullSecret = (key: string): Keychain =>
    keychainFromSecrets({
      pullSecrets: [
        {
          metadata: { name: 's' },
          type: 'kubernetes.io/dockerconfigjson',
          data: { '.dockerconfigjson': base64(JSON.stringify({ auths: { [key]: { username: 'u', password: 'p' } } })) },
        },
      ],
    });
  const inStep = (key: string): Keychain =>
    keychainOf(new Map([[key, { kind: 'basic', username: 'u', password: 'p' }]]));

  it.each([
    ['a Secret of the account', fromSecret],
    ['a pull secret', fromPullSecret],
    ['the pod', inStep],
  ])('for a registry that speaks http, in %s, stays here', async (_, keychainFor) => {
    const seen: (string | undefined)[] = [];
    const server = createHttpServer((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(request.headers.authorization === undefined ? 401 : 404, {
        'www-authenticate': 'Basic realm="x"',
      });
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const host = `127.0.0.1:${portOf(server)}`;
    const ask = async (key: string): Promise<string> => {
      const registry = openRegistry({ keychain: keychainFor(key) });
      const failure: unknown = await registry
        .getManifest(parseReference(`${host}/a/b:1`))
        .catch((error: unknown) => error);
      return (failure as Error).message;
    };
    expect(await ask(`https://${host}`)).toContain('annotated for https, and the registry speaks http');
    expect(seen.filter((header) => header !== undefined)).toEqual([]);
    await ask(host);
    expect(seen.at(-1)).toBe('Basic dTpw');
    server.close();
    server.closeAllConnections();
  });
});

describe('what was asked for over TLS', () => {
  let tls: { readonly key: string; readonly cert: string };
  let folder: string;
  let plain: Server;
  let secure: Server;
  let plainHost: string;
  let secureHost: string;
  let asked: { readonly url: string | undefined; readonly headers: Readonly<Record<string, unknown>> }[] = [];
  const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
  let location = (path: string): string => `http://${plainHost}${path}`;

  beforeAll(async () => {
    tls = await selfSigned();
    folder = await mkdtemp(join(tmpdir(), 'kpackless-hosts-'));
    await writeFile(join(folder, 'ca.pem'), tls.cert);
    const answer: RequestListener = ({ url, headers }, response) => {
      asked.push({ url, headers });
      response.end('in the clear');
    };
    plain = createHttpServer(answer);
    secure = createHttpsServer(tls, ({ url = '' }, response) =>
      response.writeHead(302, { location: location(url) }).end(),
    );
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
    [plainHost, secureHost] = [`127.0.0.1:${portOf(plain)}`, `127.0.0.1:${portOf(secure)}`];
    // Nobody vouches for the certificate, and fetch cannot be given one.
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
  }, 30_000);
  afterAll(async () => {
    if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before;
    for (const server of [plain, secure]) {
      server.closeAllConnections();
      server.close();
    }
    await rm(folder, { recursive: true, force: true });
  });

  const refusedBy = async (work: () => Promise<unknown>): Promise<string> => {
    asked = [];
    const failure: unknown = await work().then(
      () => 'it was not refused',
      (error: unknown) => (error as Error).message,
    );
    expect(asked).toEqual([]);
    return String(failure);
  };

  it.each<[string, () => Promise<unknown>]>([
    [
      'a blob in the pod',
      () =>
        download(new URL(`https://${secureHost}/a.zip`), join(folder, 'blob'), { signal, retryAfterMilliseconds: [] }),
    ],
    [
      'a blob that is looked at',
      () => blobProber(anywhere)({ url: `https://${secureHost}/a.zip`, authorization: 'Bearer x' }, signal),
    ],
    [
      'a repository that is listed',
      () => refLister(openGitWay)({ url: parseGitUrl(`https://${secureHost}/a`), prefixes: [] }, signal),
    ],
  ])('does not come in the clear: %s', async (_, work) => {
    expect(await refusedBy(work)).toMatch(/not followed|redirect refused/);
  });

  it.each(['main', 'a'.repeat(40)])('does not come in the clear: a repository in the pod, at %s', async (revision) => {
    await using world = await stepWorld();
    const ca = process.env['GIT_SSL_CAINFO'];
    process.env['GIT_SSL_CAINFO'] = join(folder, 'ca.pem');
    const source = {
      url: `https://u:p@${secureHost}/a`,
      revision,
      submodules: false,
      secrets: { basic: [], ssh: [] },
      trustUnknownHosts: true,
    };
    const said = await refusedBy(() =>
      fetchGit(source, { ...world.paths, ...world.step([], {}), scratch: world.root }),
    );
    if (ca === undefined) delete process.env['GIT_SSL_CAINFO'];
    else process.env['GIT_SSL_CAINFO'] = ca;
    expect(said).toMatch(/unable to fetch references for repository: .* redirects to what is not https/);
  });

  it('does not come in the clear: a manifest of a registry', async () => {
    const hosts: string[] = [];
    const fetch: Fetch = (url) => {
      hosts.push(url.origin);
      const headers = new Headers({ location: `http://${plainHost}/` });
      return Promise.resolve({ status: 307, statusText: '', headers, body: null });
    };
    const registry = openRegistry({ transport: { fetch } });
    expect(await refusedBy(() => registry.getManifest(parseReference('registry.example/a/b:1')))).toContain(
      'redirect refused: from https to http:',
    );
    expect(hosts).toEqual(['https://registry.example']);
  });

  it('takes no header of its own along to another origin: not a login, not what a cloud signed with', async () => {
    asked = [];
    const first = createHttpServer(({ url = '' }, response) =>
      response.writeHead(307, { location: `http://x:y@${plainHost}${url}` }).end(),
    );
    await new Promise<void>((resolve) => first.listen(0, '127.0.0.1', resolve));
    const headers = { authorization: 'AWS4-HMAC-SHA256 x', 'x-amz-security-token': 'hunter2' };
    await download(new URL(`http://127.0.0.1:${portOf(first)}/a`), join(folder, 'blob'), { signal, headers });
    await download(new URL(`http://me:hunter2@127.0.0.1:${portOf(first)}/b`), join(folder, 'blob'), { signal });
    first.close();
    first.closeAllConnections();
    expect(asked.map(({ url }) => url)).toEqual(['/a', '/b']);
    for (const { headers: sent } of asked) {
      expect(sent).not.toHaveProperty('authorization');
      expect(sent).not.toHaveProperty('x-amz-security-token');
    }
  });

  it('is not sent round in circles', async () => {
    location = (path) => `https://${secureHost}${path}`;
    const work = download(new URL(`https://${secureHost}/a`), join(folder, 'blob'), {
      signal,
      retryAfterMilliseconds: [],
    });
    await expect(work).rejects.toThrow('redirects more than 10 times');
  });
});
