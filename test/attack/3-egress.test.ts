/**
 * Tenants name git hosts, registries and blobs. Here they name what must not be dialled, in every form, through the very ways out that functions
 * are wired with. The victim must never see a connection.
 */
import type { IncomingMessage } from 'node:http';
import { describe, expect, it, vi } from 'vitest';
import { blobFetch } from '../../functions/egress.ts';
import { openFetch } from '../../lib/egress/fetch.ts';
import { egressGuard, guardedDial } from '../../lib/egress/guard.ts';
import { blobProber } from '../../lib/sources/probe-blob.ts';
import {
  attackedSettings,
  attackedWays,
  attackersNames,
  attempts,
  egressWorld,
  failureOf,
  type Ways,
} from '../support/egress-world.ts';

const { state, serve, guarded } = egressWorld();

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
  ...Object.keys(attackersNames),
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

describe.each(attackedWays)('%s', (way) => {
  it.each([...loopback, ...elsewhere])('never dials %s', async (host) => {
    // A form that the URL or the reference cannot have is refused before; that is as good.
    const work = attempts(guarded())[way](`${host}:${state.port}`);
    await expect(work).rejects.toThrow(/is not asked|Git|git|reference|registry|URL|host/i);
    expect(state.reached).toBe(0);
  });

  it('would arrive without the guard: the attack is one', async () => {
    const open: Ways = {
      git: { fetch: openFetch(), dial: guardedDial(egressGuard(() => undefined)) },
      blob: openFetch(),
      registry: openFetch(),
    };
    await failureOf(attempts(open)[way](`127.0.0.1:${state.port}`));
    expect(state.reached).toBeGreaterThan(0);
  });

  it('says which host leads to which kind of address and who may change that, but not the address', async () => {
    const error = await failureOf(attempts(guarded())[way](`printer.local:${state.port}`));
    expect(error.message).toContain(
      'printer.local leads to a loopback address, which is not asked; only an entry of its own in KPACKLESS_EGRESS_ALLOW lets it in',
    );
    expect(error.message).not.toContain('127.0.0.1');
    expect([error.pace, error.host]).toEqual(['slow', undefined]);
  });

  it('dials the address that was judged: a second answer of DNS is judged anew, and none is state.asked for in between', async () => {
    const host = await serve((_, response) => response.writeHead(404, { connection: 'close' }).end());
    const there = `twice.local:${host.split(':')[1]}`;
    state.answers = (_, nth) => (nth % 2 === 1 ? ['127.0.0.2'] : ['127.0.0.1']);
    const attempt = attempts(guarded())[way];
    await attempt(there).catch(() => undefined);
    expect(state.asked.length).toBeGreaterThan(0);
    await attempt(`twice.local:${state.port}`).catch(() => undefined);
    await attempt(`twice.local:${state.port}`).catch(() => undefined);
    expect(state.reached).toBe(0);
  });
});

describe('of several addresses', () => {
  it('only those are dialled that may be', async () => {
    const host = await serve((_, response) => response.writeHead(200, { etag: '"1"' }).end());
    state.answers = () => ['127.0.0.1', '::1', '127.0.0.2'];
    const url = `http://many.example:${host.split(':')[1]}/`;
    await blobProber(guarded().blob)({ url, authorization: undefined }, AbortSignal.timeout(5000));
    expect([state.reached, state.asked]).toEqual([0, ['many.example']]);
  });
});

describe('a resolver that never answers', () => {
  it('is waited for no longer than the deadline', async () => {
    const fetch = blobFetch(attackedSettings, { resolve: () => undefined, deadlineMilliseconds: 30 });
    const started = performance.now();
    await expect(fetch(new URL('http://slow.example/'), {})).rejects.toThrow('getaddrinfo ETIMEDOUT slow.example');
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe('plain http', () => {
  it('of registries stays among private addresses, whatever a name, a realm or a redirect says', async () => {
    state.answers = () => ['93.184.215.14'];
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
    state.servers.at(-1)?.on('connect', (request, socket) => {
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
        await expect(blob(new URL(`${scheme}://${host}:${state.port}/`), {})).rejects.toThrow('is not asked');
    expect(seen).toEqual([]);
    expect((await blob(new URL('http://only-the-proxy-knows.example/'), {})).status).toBe(200);
    expect([seen, state.reached]).toEqual([['http://only-the-proxy-knows.example/'], 0]);
  });
});
