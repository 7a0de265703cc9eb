import { once } from 'node:events';
import { createServer as createProxy } from 'node:http';
import { createServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { guardedFetch } from '../../../lib/egress/guarded-fetch.ts';
import { openRegistry } from '../../../lib/oci/client.ts';
import { digestOf } from '../../../lib/oci/digest.ts';
import { parseTag } from '../../../lib/oci/reference.ts';
import { selfSigned } from '../../support/self-signed.ts';

let host: string;
let ca: string;
const trusting = () => guardedFetch(() => undefined, { ca, plainHttp: 'anywhere' });
const received: Buffer[] = [];
const server = { close: (): void => undefined };

beforeAll(async () => {
  const { key, cert } = await selfSigned();
  ca = cert;
  const https = createServer({ key, cert }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.method === 'PUT') received.push(Buffer.concat(chunks));
      // It says http of itself, as registries behind TLS proxies do.
      if (request.method === 'POST')
        response.writeHead(202, { location: `http://${host}/v2/a/b/blobs/uploads/1` }).end();
      else if (request.url === '/v2/') response.writeHead(200).end('{}');
      else
        response
          .writeHead(request.method === 'PUT' ? 201 : 200, {
            'content-type': 'application/vnd.oci.image.manifest.v1+json',
          })
          .end('{"schemaVersion":2}');
    });
  });
  https.listen(0, '127.0.0.1');
  await once(https, 'listening');
  host = `127.0.0.1:${(https.address() as AddressInfo).port}`;
  server.close = () => {
    https.close();
    https.closeAllConnections();
  };
});
afterAll(() => server.close());

describe('a proxy', () => {
  it('from the environment is asked for a tunnel, where Node is told to use it', async () => {
    const asked: string[] = [];
    const proxy = createProxy().on('connect', (request, socket: Socket) => {
      asked.push(request.url ?? '');
      const [, port] = (request.url ?? '').split(':');
      const upstream = connect(Number(port), '127.0.0.1', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
      upstream.pipe(socket).pipe(upstream);
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const proxyUrl = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    vi.stubEnv('NODE_USE_ENV_PROXY', '1');
    vi.stubEnv('HTTPS_PROXY', proxyUrl);
    vi.stubEnv('NO_PROXY', '');
    vi.stubEnv('no_proxy', '');
    const fetch = trusting();
    vi.unstubAllEnvs();
    // Loopback is never asked for through a proxy.
    const named = host.replace('127.0.0.1', 'registry.local');
    const response = await fetch(new URL(`https://${named}/v2/a/b/manifests/v1`), {});
    expect([response.status, asked]).toEqual([200, [named]]);
    for await (const chunk of response.body ?? []) expect(chunk.byteLength).toBeGreaterThan(0);
    proxy.close();
    proxy.closeAllConnections();
  });
});

describe('a registry with a certificate of its own', () => {
  it('is trusted when its CA is given', async () => {
    const registry = openRegistry({ transport: { fetch: trusting() } });
    expect((await registry.getManifest(parseTag(`${host}/a/b:v1`))).digest).toBe(digestOf('{"schemaVersion":2}'));
  });

  it('is not trusted otherwise, and the message says both why https and why http failed', async () => {
    const work = openRegistry({ retry: { firstWaitMs: 1 } }).getManifest(parseTag(`${host}/a/b:v1`));
    await expect(work).rejects.toThrow(/self-signed certificate.*; GET http:/);
  });

  it('takes uploads over https though it speaks of http', async () => {
    const registry = openRegistry({ transport: { fetch: trusting() } });
    const bytes = Buffer.alloc(100_000, 'z');
    const blob = {
      digest: digestOf(bytes),
      size: bytes.byteLength,
      open: async function* () {
        yield bytes;
      },
    };
    await registry.pushBlob(parseTag(`${host}/a/b:v1`), blob);
    expect(received.map((body) => body.equals(bytes))).toEqual([true]);
  });
});
