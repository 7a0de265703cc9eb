/** Blobs and images that are looked at again because the annotation asks for it. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SourceResolver } from '../../../lib/api/source-resolver.ts';
import { guardedFetch } from '../../../lib/egress/guarded-fetch.ts';
import { judgeBy } from '../../../lib/egress/policy.ts';
import { blobProber } from '../../../lib/sources/probe-blob.ts';
import { type FakeRegistry, startFakeRegistry } from '../../support/fake-registry.ts';
import { anywhere } from '../../support/open-egress.ts';
import { type SourceWorld, sourceWorld } from '../../support/source-world.ts';
import { type StateTables, stateTables } from '../../support/state-table.ts';

const annotations = { 'image.kpack.io/pollInterval': '5m' };

let state: StateTables;
let w: SourceWorld;
let server: Server;
let url: string;
let asked: IncomingMessage[] = [];
let answer: (request: IncomingMessage, response: ServerResponse) => void;
const etag = (text: string) => (_: IncomingMessage, response: ServerResponse) => {
  response.writeHead(206, { etag: text, 'content-range': 'bytes 0-0/10' }).end('x');
};

beforeAll(async () => {
  state = await stateTables();
});
afterAll(() => state[Symbol.asyncDispose]());
beforeEach(async () => {
  w = sourceWorld(await state.empty());
  asked = [];
  answer = etag('"1"');
  server = createServer((request, response) => {
    asked.push(request);
    answer(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/app.zip`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const status = (): SourceResolver['status'] => w.statusOf('app') as SourceResolver['status'];
const blobUrl = (): string => status()?.source?.blob?.url ?? '';
const conditions = () => status()?.conditions;
/** Minutes pass, and the pass that is due runs. */
const minutes = async (count: number) => {
  w.later(count * 60);
  const [due] = (await w.due()).filter(({ target }) => target.kind === 'SourceResolver');
  return due === undefined ? 'not due' : w.resolve('app', { reasons: ['due'] });
};

describe('a followed blob', () => {
  it('is another source when its ETag is another', async () => {
    w.apply('app', { blob: { url } }, { annotations });
    expect(await w.resolve('app')).toBe('again');
    const first = blobUrl();
    expect(first).toMatch(/\/app\.zip#version=[0-9a-f]{16}$/);
    expect(conditions()).toMatchObject([
      { type: 'Ready', status: 'True' },
      { type: 'ActivePolling', status: 'True' },
    ]);
    const writes = w.world.writes().length;
    expect(await minutes(5)).toBe('again');
    expect([blobUrl(), w.world.writes().length]).toEqual([first, writes]);
    answer = etag('"2"');
    expect(await minutes(5)).toBe('again');
    expect(blobUrl()).not.toBe(first);
    answer = etag('"1"');
    await minutes(5);
    expect(blobUrl()).toBe(first);
    expect(asked.map(({ method, headers }) => [method, headers.range])).toEqual(
      Array.from({ length: 4 }, () => ['GET', 'bytes=0-0']),
    );
  });

  it('is asked for once an interval, however often something wakes the resolver', async () => {
    w.apply('app', { blob: { url } }, { annotations });
    for (const reason of ['self', 'list', 'dependency', 'due'] as const) {
      await w.resolve('app', { reasons: [reason] });
      w.later(30);
    }
    expect(asked).toHaveLength(1);
  });

  it('with an interval of an hour is asked for once an hour', async () => {
    w.apply('app', { blob: { url } }, { annotations: { 'image.kpack.io/pollInterval': '1h' } });
    await w.resolve('app');
    for (let passes = 0; passes < 5; passes += 1) expect(await minutes(10)).toBe('again');
    expect(asked).toHaveLength(1);
    await minutes(10);
    expect(asked).toHaveLength(2);
  });

  it('is known by Last-Modified and size where there is no ETag', async () => {
    const modified = (time: string) => (_: IncomingMessage, response: ServerResponse) => {
      response.writeHead(200, { 'last-modified': time, 'content-length': '3' }).end('abc');
    };
    answer = modified('Sat, 21 Nov 2026 10:00:00 GMT');
    w.apply('app', { blob: { url } }, { annotations });
    await w.resolve('app');
    const first = blobUrl();
    answer = modified('Sat, 21 Nov 2026 11:00:00 GMT');
    await minutes(5);
    expect(blobUrl()).not.toBe(first);
  });

  it('whose host tells neither is as it is written, and the condition says so', async () => {
    answer = (_, response) => void response.writeHead(200).end('x');
    w.apply('app', { blob: { url } }, { annotations });
    await w.resolve('app');
    expect(blobUrl()).toBe(url);
    expect(conditions()).toMatchObject([{ status: 'True' }, { status: 'False', reason: 'NotFollowed' }]);
  });

  it('that needs the identity of the pod is as it is written, and nobody is asked', async () => {
    w.apply('app', { blob: { url, auth: 'helper' } }, { annotations });
    await w.resolve('app');
    expect([blobUrl(), asked.length]).toEqual([url, 0]);
    expect(conditions()).toMatchObject([{ status: 'True' }, { status: 'False', reason: 'NotFollowed' }]);
  });

  it('is opened by the account’s Secret for its host', async () => {
    w.put('serviceaccounts', {
      metadata: { name: 'sa', namespace: 'team' },
      secrets: [{ name: 'other' }, { name: 's' }],
    });
    const data = { bearer: Buffer.from('token').toString('base64') };
    const secretFor = (name: string, host: string) => ({
      metadata: { name, namespace: 'team', annotations: { 'kpack.io/blob': host } },
      data,
    });
    w.put('secrets', secretFor('other', 'elsewhere.example'));
    w.put('secrets', secretFor('s', '127.0.0.1'));
    w.apply('app', { blob: { url, auth: 'secret' } }, { annotations, serviceAccount: 'sa' });
    expect(await w.resolve('app')).toBe('again');
    expect(asked[0]?.headers.authorization).toBe('Bearer token');
  });

  it('whose host is failing keeps its version and is tried again; refused, somebody has to act', async () => {
    w.apply('app', { blob: { url } }, { annotations });
    await w.resolve('app');
    const first = blobUrl();
    answer = (_, response) => void response.writeHead(503).end();
    expect(await minutes(5)).toBe('failed');
    expect(conditions()).toMatchObject([{ status: 'True' }, { status: 'True' }]);
    expect(await minutes(1)).toBe('failed');
    expect(conditions()).toMatchObject([{ status: 'Unknown', reason: 'SourceUnreachable' }, { status: 'True' }]);
    expect(blobUrl()).toBe(first);
    answer = (_, response) => void response.writeHead(404).end();
    expect(await minutes(1)).toBe('failed');
    expect(conditions()).toMatchObject([{ status: 'False', reason: 'SourceUnreachable' }, { status: 'True' }]);
    answer = etag('"1"');
    await minutes(10);
    expect(conditions()).toMatchObject([{ status: 'True' }, { status: 'True' }]);
    expect(blobUrl()).toBe(first);
  });

  it('without the annotation, or with 0, is a copy and nobody is asked', async () => {
    for (const more of [{}, { annotations: { 'image.kpack.io/pollInterval': '0' } }]) {
      w.apply('app', { blob: { url } }, more);
      expect(await w.resolve('app')).toBe('settled');
      expect(blobUrl()).toBe(url);
      expect(conditions()).toMatchObject([{ status: 'True' }, { type: 'ActivePolling', status: 'False' }]);
    }
    expect(asked).toEqual([]);
  });
});

describe('a probe of a blob', () => {
  const guarded = guardedFetch(judgeBy({ allow: [], deny: [], privateRanges: true }), { plainHttp: 'anywhere' });
  const probe = (target: string, isGuarded = false) =>
    blobProber(isGuarded ? guarded : anywhere)(
      { url: target, authorization: 'Bearer token' },
      AbortSignal.timeout(5000),
    );

  it('takes credentials to no other host, and follows no redirect for ever', async () => {
    const seen: (string | undefined)[] = [];
    const other = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(200, { etag: '"x"' }).end();
    }).listen(0, '127.0.0.1');
    await once(other, 'listening');
    const target = `http://127.0.0.1:${(other.address() as AddressInfo).port}/`;
    answer = (_, response) => void response.writeHead(302, { location: target }).end();
    expect(await probe(url)).toMatch(/^[0-9a-f]{16}$/);
    expect(seen).toEqual([undefined]);
    other.close();
    answer = (_, response) => void response.writeHead(302, { location: url }).end();
    await expect(probe(url)).rejects.toThrow('redirects more than');
  });

  it.each([
    'http://169.254.169.254/latest/meta-data/',
    'http://[fe80::1]/',
    'http://[::ffff:169.254.169.254]/',
    'http://[fd00:ec2::254]/',
  ])('never asks %s', async (target) => {
    await expect(probe(target, true)).rejects.toThrow('is not asked');
  });

  it('never asks the machine it runs on, by address or by name', async () => {
    await expect(probe(url, true)).rejects.toThrow('is not asked');
    await expect(probe(url.replace('127.0.0.1', 'localhost'), true)).rejects.toThrow('is not asked');
    await expect(probe(url.replace('127.0.0.1', '[::ffff:127.0.0.1]'), true)).rejects.toThrow('is not asked');
    expect(asked).toEqual([]);
  });

  it.each(['file:///etc/passwd', 'ftp://h/x', 'no url'])('refuses %s', async (target) => {
    await expect(probe(target)).rejects.toThrow('not http or https');
  });

  it('shows no credentials and no query', async () => {
    answer = (_, response) => void response.writeHead(403).end();
    const secretUrl = `${url.replace('http://', 'http://me:hunter2@')}?signature=hunter3`;
    const error: unknown = await probe(secretUrl).catch((thrown: unknown) => thrown);
    expect(String(error)).toContain('answered 403');
    expect(String(error)).not.toMatch(/hunter/);
  });
});

describe('a followed image', () => {
  let registry: FakeRegistry;
  const push = (text: string): string =>
    registry.store.putManifest(
      'team/source',
      'application/vnd.oci.image.manifest.v1+json',
      Buffer.from(JSON.stringify({ schemaVersion: 2, text })),
      'latest',
    );
  beforeEach(async () => {
    registry = await startFakeRegistry();
  });
  afterEach(() => registry.close());
  const image = (): string | undefined => status()?.source?.registry?.image;

  it('is its digest, and another one after a push', async () => {
    const first = push('one');
    w.apply('app', { registry: { image: `${registry.host}/team/source:latest` } }, { annotations });
    expect(await w.resolve('app')).toBe('again');
    expect(image()).toBe(`${registry.host}/team/source@${first}`);
    expect(conditions()).toMatchObject([{ status: 'True' }, { type: 'ActivePolling', status: 'True' }]);
    const second = push('two');
    await minutes(5);
    expect(image()).toBe(`${registry.host}/team/source@${second}`);
  });

  it('named by digest is not asked for', async () => {
    const digest = push('one');
    const named = `${registry.host}/team/source@${digest}`;
    w.apply('app', { registry: { image: named } }, { annotations });
    await w.resolve('app');
    expect([image(), registry.requests.length]).toEqual([named, 0]);
    expect(conditions()).toMatchObject([{ status: 'True' }, { status: 'False', reason: 'NotFollowed' }]);
  });

  it('that is not there says so', async () => {
    w.apply('app', { registry: { image: `${registry.host}/team/absent:latest` } }, { annotations });
    expect(await w.resolve('app')).toBe('failed');
    expect(conditions()).toMatchObject([{ status: 'False', reason: 'SourceUnreachable' }, { status: 'False' }]);
  });
});
