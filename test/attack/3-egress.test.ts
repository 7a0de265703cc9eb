/**
 * Tenants name git hosts, registries and blobs. Here they name what must not be dialled, in every form, through the very ways out that functions
 * are wired with. The victim listens on 127.0.0.1 and ::1 and must never see a connection; 127.0.0.2 is a host that the operator lets through.
 */
import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer, type LookupFunction } from 'node:net';
import ssh2 from 'ssh2';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { blobFetch, type EgressSettings, gitWay, registryFetch } from '../../functions/egress.ts';
import { settingsFrom } from '../../functions/settings.ts';
import type { Fetch, NodeFetch } from '../../lib/egress/fetch.ts';
import { openFetch } from '../../lib/egress/fetch.ts';
import { egressGuard, guardedDial } from '../../lib/egress/guard.ts';
import { ExpectedError } from '../../lib/errors/expected.ts';
import { GitError } from '../../lib/git/errors.ts';
import { type GitWay, refLister } from '../../lib/git/list-refs.ts';
import { parseGitUrl } from '../../lib/git/url.ts';
import { openRegistry } from '../../lib/oci/client.ts';
import { digestOf } from '../../lib/oci/digest.ts';
import { isOciError } from '../../lib/oci/errors.ts';
import { parseReference } from '../../lib/oci/reference.ts';
import { blobProber } from '../../lib/sources/probe-blob.ts';

const settings: EgressSettings = settingsFrom({
  KPACKLESS_TABLE: 't',
  KPACKLESS_QUEUE_URL_PREFIX: 'q',
  KPACKLESS_STEP_IMAGE: 'i',
  KPACKLESS_EGRESS_ALLOW: '127.0.0.2',
  KPACKLESS_EGRESS_PRIVATE: 'allow',
});

type Answers = (host: string, nth: number) => readonly string[] | undefined;

/** Names as an attacker's DNS server answers them; other names as the system does, which are `localhost` alone. */
const names: Readonly<Record<string, readonly string[]>> = {
  '127.0.0.1.nip.example': ['127.0.0.1'],
  'localhost.': ['127.0.0.1', '::1'],
  localhost: ['127.0.0.1', '::1'],
  'app.localhost': ['::1'],
  'mapped.example': ['::ffff:127.0.0.1'],
  'zone.example': ['::1%lo'],
  'all.example': ['0.0.0.0', '::'],
  'metadata.google.internal': ['169.254.169.254'],
  'instance-data.ec2.internal': ['fd00:ec2::254'],
  'nat.example': ['64:ff9b::7f00:1'],
  'printer.local': ['127.0.0.1'],
};
let asked: string[] = [];
let answers: Answers = (host) => names[host];
const resolve: LookupFunction = (host, _options, callback) => {
  asked.push(host);
  const found = answers(host, asked.filter((one) => one === host).length);
  if (found === undefined) callback(Object.assign(new Error('not found'), { code: 'ENOTFOUND' }), []);
  else
    callback(
      null,
      found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
};

let reached = 0;
const victim = createServer((socket) => {
  reached += 1;
  socket.destroy();
});
const victim6 = createServer((socket) => {
  reached += 1;
  socket.destroy();
});
let port = 0;
beforeAll(async () => {
  victim.listen(0, '127.0.0.1');
  await once(victim, 'listening');
  ({ port } = victim.address() as AddressInfo);
  // A machine may lack IPv6: then nobody can reach it there.
  victim6.on('error', () => undefined).listen(port, '::1');
});
afterAll(() => {
  victim.close();
  victim6.close();
});
beforeEach(() => {
  reached = 0;
  asked = [];
  answers = (host) => names[host];
});

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});
/** A host that is let through. */
const serve = async (listener: RequestListener): Promise<string> => {
  const server = createHttpServer(listener);
  servers.push(server);
  server.listen(0, '127.0.0.2');
  await once(server, 'listening');
  return `127.0.0.2:${(server.address() as AddressInfo).port}`;
};
const failure = async (work: Promise<unknown>): Promise<ExpectedError> => {
  const error: unknown = await work.then(
    () => new Error('it worked'),
    (thrown: unknown) => thrown,
  );
  if (error instanceof ExpectedError) return error;
  throw error;
};

const { private: privateKey } = ssh2.utils.generateKeyPairSync('ed25519');
const key = { kind: 'ssh', secretName: 'k', username: 'git', privateKey } as const;

interface Ways {
  readonly git: GitWay;
  readonly blob: NodeFetch;
  readonly registry: Fetch;
}
const guarded = (): Ways => ({
  git: gitWay(settings, { resolve }),
  blob: blobFetch(settings, { resolve }),
  registry: registryFetch(settings, { resolve }),
});
const ways = ['git over http', 'git over https', 'git over ssh', 'a blob', 'a blob over https', 'a registry'] as const;
type Attempt = (typeof ways)[number];

const attempts = (ways: Ways): Readonly<Record<Attempt, (host: string) => Promise<unknown>>> => {
  const list = refLister(ways.git, { deadlineSeconds: 5, trustUnknownHosts: true });
  const registry = openRegistry({ retry: { attempts: 1 }, transport: { fetch: ways.registry } });
  return {
    'git over http': (host: string) => list({ url: parseGitUrl(`http://${host}/r.git`), prefixes: [] }),
    'git over https': (host: string) => list({ url: parseGitUrl(`https://${host}/r.git`), prefixes: [] }),
    'git over ssh': (host: string) =>
      list({ url: parseGitUrl(`ssh://git@${host}/r.git`), prefixes: [], credential: key }),
    'a blob': (host: string) =>
      blobProber(ways.blob)({ url: `http://${host}/x`, authorization: undefined }, AbortSignal.timeout(5000)),
    'a blob over https': (host: string) =>
      blobProber(ways.blob)({ url: `https://${host}/x`, authorization: undefined }, AbortSignal.timeout(5000)),
    'a registry': (host: string) => registry.headManifest(parseReference(`${host}/team/app:1`)),
  };
};

const loopback = [
  '127.0.0.1',
  '127.0.0.1.',
  '127.1',
  '2130706433',
  '0177.1',
  '0177.0.0.01',
  '0x7f.1',
  '0x7f000001',
  '0',
  '0.0.0.0',
  '[::1]',
  '[::]',
  '[0:0:0:0:0:0:0:1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  ...Object.keys(names),
];
const elsewhere = [
  '169.254.169.254',
  '2852039166',
  '0xa9fea9fe',
  '169.254.170.2',
  '[fd00:ec2::254]',
  '[fd00:ec2::23]',
  '[::ffff:169.254.169.254]',
  '[64:ff9b::a9fe:a9fe]',
  '[2002:7f00:1::]',
  '[fe80::1]',
  '[::127.0.0.1]',
  '224.0.0.1',
  '255.255.255.255',
];

describe.each(ways)('%s', (way) => {
  it.each([...loopback, ...elsewhere])('never dials %s', async (host) => {
    // A form that the URL or the reference cannot have is refused before; that is as good.
    const work = Promise.resolve().then(() => attempts(guarded())[way](`${host}:${port}`));
    await expect(work).rejects.toThrow(/is not asked|Git|git|reference|registry|URL|host/i);
    expect(reached).toBe(0);
  });

  it('would arrive without the guard: the attack is one', async () => {
    const open: Ways = {
      git: { fetch: openFetch(), dial: guardedDial(egressGuard(() => undefined)) },
      blob: openFetch(),
      registry: openFetch(),
    };
    await failure(Promise.resolve().then(() => attempts(open)[way](`127.0.0.1:${port}`)));
    expect(reached).toBeGreaterThan(0);
  });

  it('says which host leads to which kind of address and who may change that, but not the address', async () => {
    const error = await failure(attempts(guarded())[way](`printer.local:${port}`));
    expect(error.message).toContain(
      'printer.local leads to a loopback address, which is not asked; only an entry of its own in KPACKLESS_EGRESS_ALLOW lets it in',
    );
    expect(error.message).not.toContain('127.0.0.1');
    expect([error.pace, error.host]).toEqual(['slow', undefined]);
  });

  it('dials the address that was judged: a second answer of DNS is judged anew, and none is asked for in between', async () => {
    const host = await serve((_, response) => response.writeHead(404, { connection: 'close' }).end());
    const there = `twice.local:${host.split(':')[1]}`;
    answers = (_, nth) => (nth % 2 === 1 ? ['127.0.0.2'] : ['127.0.0.1']);
    const attempt = attempts(guarded())[way];
    await Promise.resolve(attempt(there)).catch(() => undefined);
    const dialled = asked.length;
    expect(dialled).toBeGreaterThan(0);
    await Promise.resolve(attempt(`twice.local:${port}`)).catch(() => undefined);
    await Promise.resolve(attempt(`twice.local:${port}`)).catch(() => undefined);
    expect(reached).toBe(0);
  });
});

describe('of several addresses', () => {
  it('only those are dialled that may be', async () => {
    const host = await serve((_, response) => response.writeHead(200, { etag: '"1"' }).end());
    answers = () => ['127.0.0.1', '::1', '127.0.0.2'];
    const url = `http://many.example:${host.split(':')[1]}/`;
    await blobProber(guarded().blob)({ url, authorization: undefined }, AbortSignal.timeout(5000));
    expect([reached, asked]).toEqual([0, ['many.example']]);
  });
});

describe('a resolver that never answers', () => {
  it('is waited for no longer than the deadline', async () => {
    const fetch = blobFetch(settings, { resolve: () => undefined, deadlineMilliseconds: 30 });
    const started = performance.now();
    await expect(fetch(new URL('http://slow.example/'), {})).rejects.toThrow('getaddrinfo ETIMEDOUT slow.example');
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

const places = () => [
  `http://127.0.0.1:${port}`,
  `http://127.1:${port}`,
  `http://0x7f.1:${port}`,
  `http://0177.0.0.1:${port}`,
  `http://2130706433:${port}`,
  `http://[::1]:${port}`,
  `http://[::ffff:127.0.0.1]:${port}`,
  `http://localhost:${port}`,
  `http://127.0.0.1.nip.example:${port}`,
  `https://127.0.0.1:${port}`,
  'http://169.254.169.254',
  'http://[fd00:ec2::254]',
];
const indices = Array.from({ length: 12 }, (_, index) => index);
const place = (index: number): string => places()[index] ?? '';

describe.each(indices)('a host that is let through, and sends us to place %i', (index) => {
  const to = (response: Parameters<RequestListener>[1], path: string): void =>
    void response.writeHead(307, { location: `${place(index)}${path}` }).end();
  const registryOn = (host: string) => ({
    client: openRegistry({ retry: { attempts: 1 }, transport: { fetch: guarded().registry } }),
    image: parseReference(`${host}/team/app:1`),
  });
  const bytes = Buffer.from('x');
  const blob = {
    digest: digestOf(bytes),
    size: 1,
    open: async function* () {
      yield bytes;
    },
  };
  afterEach(() => expect(reached).toBe(0));

  it('by a redirect of git', async () => {
    const host = await serve((_, response) => to(response, '/r.git/info/refs?service=git-upload-pack'));
    const error = await failure(attempts(guarded())['git over http'](host));
    expect(error).toBeInstanceOf(GitError);
    expect(error).toMatchObject({ code: 'not-asked' });
  });

  it('by a redirect of a blob', async () => {
    const host = await serve((_, response) => to(response, '/latest/meta-data/iam'));
    expect((await failure(attempts(guarded())['a blob'](host))).message).toContain('is not asked');
  });

  it.each(['manifests', 'blobs'])('by a redirect of %s', async (kind) => {
    const host = await serve((request, response) =>
      request.url === '/v2/' ? response.writeHead(200).end('{}') : to(response, '/latest/meta-data/iam'),
    );
    const { client, image } = registryOn(host);
    const work = kind === 'blobs' ? client.readBlob(image, blob) : client.getManifest(image);
    expect(isOciError(await failure(work), 'not-asked')).toBe(true);
  });

  it('by the realm of its tokens', async () => {
    const challenge = { 'www-authenticate': `Bearer realm="${place(index)}/token",service="s"` };
    const host = await serve((_, response) => response.writeHead(401, challenge).end());
    const { client, image } = registryOn(host);
    expect(isOciError(await failure(client.getManifest(image)), 'not-asked')).toBe(true);
  });

  it('by the location of an upload', async () => {
    const host = await serve((request, response) =>
      request.method === 'POST'
        ? response.writeHead(202, { location: `${place(index)}/upload` }).end()
        : response.writeHead(request.url === '/v2/' ? 200 : 404).end('{}'),
    );
    const { client, image } = registryOn(host);
    expect(isOciError(await failure(client.pushBlob(image, blob)), 'not-asked')).toBe(true);
  });
});

describe('plain http', () => {
  it('of registries stays among private addresses, whatever a name, a realm or a redirect says', async () => {
    answers = () => ['93.184.215.14'];
    const { registry } = guarded();
    for (const url of ['http://registry.local:5000/v2/', 'http://1.1.1.1/token', 'http://[2606:4700::1111]/'])
      await expect(registry(new URL(url), {})).rejects.toThrow(/not private, which is not asked; plain http stays/);
  });
});

describe('a proxy of the operator', () => {
  it('is not asked for what may not be dialled', async () => {
    const seen: string[] = [];
    const note = ({ url = '' }: IncomingMessage): void => void seen.push(url);
    const proxy = await serve((request, response) => {
      note(request);
      response.writeHead(200, { etag: '"1"' }).end();
    });
    servers.at(-1)?.on('connect', (request, socket) => {
      note(request);
      socket.destroy();
    });
    for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy']) vi.stubEnv(name, `http://${proxy}`);
    vi.stubEnv('NODE_USE_ENV_PROXY', '1');
    vi.stubEnv('NO_PROXY', '');
    vi.stubEnv('no_proxy', '');
    const { blob } = guarded();
    vi.unstubAllEnvs();
    for (const host of [...loopback, ...elsewhere])
      for (const scheme of ['http', 'https'])
        if (host !== 'zone.example')
          await expect(blob(new URL(`${scheme}://${host}:${port}/`), {})).rejects.toThrow('is not asked');
    expect(seen).toEqual([]);
    expect((await blob(new URL('http://only-the-proxy-knows.example/'), {})).status).toBe(200);
    expect([seen, reached]).toEqual([['http://only-the-proxy-knows.example/'], 0]);
  });
});

/** A service that is no registry, git host or file server, and answers with what only its own readers may see. */
const secret = 'hunter2';
const leaky = (status: number): RequestListener => {
  const headers = {
    'content-type': `application/x-${secret}`,
    'content-range': secret,
    'www-authenticate': `Bearer realm="${secret}://x/${secret}?${secret}",service="${secret}"`,
    'docker-content-digest': secret,
    location: `http://${secret}:${secret}@127.0.0.2/${secret}?${secret}=${secret}#${secret}`,
    'x-internal': secret,
    link: `<https://${secret}/>; rel="next"`,
  };
  return (request, response) => {
    if (request.url === '/v2/') response.writeHead(200).end('{}');
    else
      response.writeHead(status, secret, headers).end(`{"password":"${secret}","errors":[{"password":"${secret}"}]}`);
  };
};

describe.each([200, 202, 206, 301, 307, 400, 401, 403, 404, 418, 429, 500, 503])(
  'an internal service that answers %i',
  (status) => {
    it('is not read out by what a tenant is told', async () => {
      const host = await serve(leaky(status));
      const { client, image } = {
        client: openRegistry({ retry: { attempts: 1 }, transport: { fetch: guarded().registry } }),
        image: parseReference(`${host}/team/app:1`),
      };
      const blob = { digest: digestOf('x'), size: 1 };
      const all: readonly (() => Promise<unknown>)[] = [
        () => attempts(guarded())['git over http'](host),
        () => attempts(guarded())['a blob'](host),
        () => client.getManifest(image),
        () => client.headManifest(image),
        () => client.readBlob(image, blob),
        () => client.listTags(image),
        () => client.hasBlob(image, blob.digest),
        () => client.putManifest(image, { mediaType: 'application/json', bytes: Buffer.from('{}') }),
        () =>
          client.pushBlob(image, {
            ...blob,
            open: async function* () {
              yield Buffer.from('x');
            },
          }),
        () => client.deleteManifest(image),
      ];
      const said: string[] = [];
      for (const one of all)
        await one().catch((error: unknown) => void said.push(error instanceof Error ? error.message : String(error)));
      expect(said.length).toBeGreaterThan(0);
      expect(said.filter((message) => message.includes(secret))).toEqual([]);
    });
  },
);

describe('words of a git host', () => {
  it('are its own error form: one bounded, printable line', async () => {
    const line = `ERR ${'no '.repeat(500)}\u202E\u0007`;
    const packet = `${(line.length + 4 + 2).toString(16).padStart(4, '0')}${line}`;
    const host = await serve((_, response) =>
      response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-advertisement' }).end(packet),
    );
    const { message } = await failure(attempts(guarded())['git over http'](host));
    expect(message).toMatch(/its host says: no no/);
    expect(message.length).toBeLessThan(400);
    expect(message).not.toMatch(/\p{C}/u);
  });
});
