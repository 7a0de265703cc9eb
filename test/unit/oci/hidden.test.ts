/** Registries that hide: private repositories from who shows no credential, and content from who asks by HEAD. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request as ask, createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { openRegistry } from '../../../lib/oci/client.ts';
import { digestOf } from '../../../lib/oci/digest.ts';
import { isOciError } from '../../../lib/oci/errors.ts';
import type { Keychain } from '../../../lib/oci/keychain.ts';
import { createSession } from '../../../lib/oci/session.ts';
import { type FakeRegistry, startFakeRegistry } from '../../support/fake-registry.ts';
import type { Access } from '../../support/fake-registry-access.ts';
import { blobOf, pushSomeImage, someTag } from '../../support/registry-suite.ts';

const users = { alice: 'pw' };
const alice: Keychain = () => Promise.resolve({ kind: 'basic', username: 'alice', password: 'pw' });

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});
const registry = async (auth?: Access): Promise<FakeRegistry> => {
  const fake = await startFakeRegistry({ auth });
  closing.push(fake.close);
  return fake;
};

/** What a proxy does in place of handing on; false when it hands on. */
type Answer = (request: IncomingMessage, response: ServerResponse) => boolean;

/** A proxy before a registry; every request that it gets, as method, path and whether it came with a credential. */
const before = async (fake: FakeRegistry, answer: Answer) => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const { method = '', url = '', headers } = request;
    asked.push(
      `${method} ${url.replace(/\?.*/, '').replace(/\/test\/[0-9a-f]+\//, '/R/')}${headers.authorization === undefined ? '' : ' +'}`,
    );
    if (answer(request, response)) return void request.resume();
    const [host, port] = fake.host.split(':');
    const through = ask({ host, port, method, path: url, headers, agent: false }, (from) => {
      response.writeHead(from.statusCode ?? 500, from.headers);
      from.pipe(response);
    });
    request.pipe(through);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
};

const hiding =
  (status: number): Answer =>
  ({ url = '', headers }, response) => {
    const isHidden = headers.authorization === undefined && /^\/v2\/./.test(url);
    if (isHidden)
      response
        .writeHead(status, { 'content-type': 'application/json' })
        .end('{"errors":[{"code":"NAME_UNKNOWN","message":"unknown"}]}');
    return isHidden;
  };
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'fulfilled',
    (error: unknown) => (isOciError(error) ? error.code : 'another error'),
  );

describe('a registry that hides private repositories', () => {
  it.each([
    ['404', 'tokens', 404, { kind: 'token', users }],
    ['403', 'tokens', 403, { kind: 'token', users }],
    ['404', 'passwords', 404, { kind: 'basic', users }],
    ['403', 'passwords', 403, { kind: 'basic', users }],
  ] as const)('as %s, and wants %s, is shown the credential there is', async (_status, _what, status, auth) => {
    const { host } = await before(await registry(auth), hiding(status));
    const tag = someTag(host);
    const open = () => openRegistry({ keychain: alice });
    const bytes = await pushSomeImage(open(), tag);
    expect((await open().getManifest(tag)).digest).toBe(digestOf(bytes));
    expect((await open().headManifest(tag))?.digest).toBe(digestOf(bytes));
    expect(await open().listTags(tag)).toEqual(['v1']);
    await open().pushBlob(tag, blobOf(randomBytes(10)));
  });

  it('says the same of what is not there to who has a credential and to who has none', async () => {
    const { host } = await before(await registry({ kind: 'token', users }), hiding(404));
    for (const keychain of [alice, undefined])
      expect(await codeOf(openRegistry({ keychain }).getManifest(someTag(host)))).toBe('not-found');
  });
});

describe('the question of how a registry wants to be spoken to', () => {
  it('is asked once in a process, and never where that is known', async () => {
    const proxy = await before(await registry({ kind: 'token', users }), hiding(404));
    const session = createSession();
    const tag = someTag(proxy.host);
    await pushSomeImage(openRegistry({ keychain: alice, session }), tag);
    proxy.asked.length = 0;
    await openRegistry({ keychain: alice, session }).getManifest(tag);
    await openRegistry({ keychain: alice, session })
      .getManifest(someTag(proxy.host))
      .catch(() => undefined);
    expect(proxy.asked.filter((line) => line === 'GET /v2/')).toEqual([]);
    // Neither is anything asked without the credential.
    expect(proxy.asked.filter((line) => !line.endsWith(' +'))).toEqual([]);
  });

  it('costs no more requests than a refusal did', async () => {
    const fake = await registry({ kind: 'token', users });
    await codeOf(openRegistry({ keychain: alice }).getManifest(someTag(fake.host)));
    const told = ({ method, path, status }: { method: string; path: string; status: number }) =>
      `${method} ${path.replace(/[?].*/, '').replace(/\/test\/.*/, '/…')} ${status}`;
    // The first finds out whether it speaks https; functions ask public hosts without it.
    expect(fake.requests.map(told)).toEqual(['GET /v2/ 401', 'GET /v2/ 401', 'GET /token 200', 'GET /v2/… 404']);
  });

  it('is asked once by all who begin at the same moment', async () => {
    const proxy = await before(await registry({ kind: 'token', users }), hiding(404));
    const client = openRegistry({ keychain: alice });
    await Promise.all(Array.from({ length: 5 }, (_, n) => client.hasBlob(someTag(proxy.host), digestOf(String(n)))));
    // Of the two one finds out whether it speaks https.
    expect(proxy.asked.filter((line) => line === 'GET /v2/')).toHaveLength(2);
  });

  it('is not asked by who has no credential, nor by who has a token that needs none', async () => {
    for (const keychain of [undefined, () => Promise.resolve({ kind: 'registry-token', token: 't' } as const)]) {
      const proxy = await before(await registry(), () => false);
      await codeOf(openRegistry({ keychain }).getManifest(someTag(proxy.host)));
      expect(proxy.asked.filter((line) => line === 'GET /v2/')).toHaveLength(1);
    }
  });

  it('may go unanswered: then the request itself is challenged', async () => {
    const fake = await registry({ kind: 'basic', users });
    let isFirst = true;
    // The first is the one about https.
    const proxy = await before(fake, ({ url }, response) => {
      if (url !== '/v2/' || isFirst) return (isFirst = false);
      response.writeHead(404).end();
      return true;
    });
    const tag = someTag(proxy.host);
    const bytes = await pushSomeImage(openRegistry({ keychain: alice }), tag);
    isFirst = true;
    expect((await openRegistry({ keychain: alice }).getManifest(tag)).digest).toBe(digestOf(bytes));
  });

  it('that a redirect takes elsewhere is not answered by who is there', async () => {
    const other = await registry({ kind: 'basic', users });
    const fake = await registry();
    fake.addFault({ kind: 'redirect', to: `http://${other.host}/v2/`, path: /^\/v2\/$/, skip: 1 });
    await codeOf(openRegistry({ keychain: alice }).getManifest(someTag(fake.host)));
    expect([...fake.requests, ...other.requests].filter(({ authorization }) => authorization !== undefined)).toEqual(
      [],
    );
  });
});

describe('a registry whose HEAD says no', () => {
  const saying =
    (status: number): Answer =>
    ({ method, url = '' }, response) => {
      const isAsked = method === 'HEAD' && url !== '/v2/';
      if (isAsked) response.writeHead(status).end();
      return isAsked;
    };

  it.each([400, 403, 404, 405, 406, 501])(
    'with %i is asked by GET before a manifest counts as absent',
    async (status) => {
      const { host } = await before(await registry(), saying(status));
      const tag = someTag(host);
      const client = openRegistry();
      expect(await client.headManifest(tag)).toBeUndefined();
      const bytes = await pushSomeImage(client, tag);
      expect(await client.headManifest(tag)).toMatchObject({ digest: digestOf(bytes), size: bytes.byteLength });
    },
  );

  it.each([400, 403, 405, 406, 501])(
    'with %i is asked by GET whether a blob is there, for one byte of it',
    async (status) => {
      const proxy = await before(await registry(), saying(status));
      const tag = someTag(proxy.host);
      const client = openRegistry();
      const [blob, empty] = [blobOf(randomBytes(5000)), blobOf(new Uint8Array())];
      for (const one of [blob, empty]) {
        expect(await client.hasBlob(tag, one.digest)).toBe(false);
        await client.pushBlob(tag, one);
        expect(await client.hasBlob(tag, one.digest)).toBe(true);
      }
    },
  );

  it('with 404 is not believed of blobs, whatever was asked before', async () => {
    const { host } = await before(await registry(), saying(404));
    const tag = someTag(host);
    const blob = blobOf(randomBytes(100));
    const client = () => openRegistry();
    expect(await client().hasBlob(tag, blob.digest)).toBe(false);
    await client().pushBlob(tag, blob);
    await pushSomeImage(client(), tag);
    expect(await client().hasBlob(tag, blob.digest)).toBe(true);
    const one = client();
    for (const work of [() => one.getManifest(tag), () => one.readBlob(tag, blob), () => one.pushBlob(tag, blob)]) {
      await work();
      expect(await one.hasBlob(tag, blob.digest)).toBe(true);
      expect(await one.hasBlob(tag, digestOf('never pushed'))).toBe(false);
    }
  });

  it('is believed of blobs once its HEAD has told of what is there, and that is asked once', async () => {
    const proxy = await before(await registry(), () => false);
    const tag = someTag(proxy.host);
    const client = openRegistry();
    await pushSomeImage(client, tag);
    proxy.asked.length = 0;
    for (let n = 0; n < 3; n += 1) expect(await client.hasBlob(tag, digestOf(`absent ${n}`))).toBe(false);
    expect(proxy.asked.map((line) => line.split(' ', 1)[0])).toEqual(['HEAD', 'HEAD', 'HEAD', 'HEAD']);
  });

  it('and whose pages of tags are empty for a while is asked on, but not without end', async () => {
    const empty =
      (pages: number): Answer =>
      ({ url = '' }, response) => {
        const page = Number(new URLSearchParams(url.split('?')[1]).get('page') ?? 0);
        if (!url.includes('/tags/list') || page >= pages) return false;
        const next = `<${url.split('?')[0]}?page=${page + 1}>; rel="next"`;
        response.writeHead(200, { 'content-type': 'application/json', link: next }).end('{"tags":[]}');
        return true;
      };
    const fake = await registry();
    for (const [pages, found] of [
      [3, 1],
      [10_000, 0],
    ] as const) {
      const proxy = await before(fake, empty(pages));
      const tag = someTag(proxy.host);
      await pushSomeImage(openRegistry(), tag);
      expect(await openRegistry().listTags(tag)).toHaveLength(found);
      expect(proxy.asked.length).toBeLessThan(40);
    }
  });

  it('and whose GET refuses is told by what GET said', async () => {
    const fake = await registry();
    fake.addFault({ kind: 'status', method: 'GET', path: /manifests/, status: 403 });
    const { host } = await before(fake, saying(404));
    expect(await codeOf(openRegistry().headManifest(someTag(host)))).toBe('denied');
  });
});
