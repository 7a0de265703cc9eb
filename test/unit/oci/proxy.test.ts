/** Node reads its proxy variables when it starts: each case is a process of its own that reads a manifest through our client. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { request as ask, createServer, type RequestListener } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { storeDockerImage } from '../../support/buildpack-images.ts';
import { type FakeRegistry, startFakeRegistry } from '../../support/fake-registry.ts';

const run = promisify(execFile);
const program = (image: string): string => `
  import { openRegistry } from './lib/oci/client.ts';
  import { parseReference } from './lib/oci/reference.ts';
  const found = await openRegistry().headManifest(parseReference(${JSON.stringify(image)}));
  process.stdout.write(found.digest);`;

let registry: FakeRegistry;
let digest: string;
const tunnels: string[] = [];
/** Of plain http a proxy is told the whole URL. */
const forward: RequestListener = (request, response) => {
  const { host, pathname, search } = new URL(request.url ?? '');
  tunnels.push(host);
  const [, port] = registry.host.split(':');
  const options = { host: '127.0.0.1', port, path: `${pathname}${search}`, method: request.method ?? 'GET' };
  const asked = ask({ ...options, headers: request.headers, agent: false }, (answer) => {
    response.writeHead(answer.statusCode ?? 500, answer.headers);
    answer.pipe(response);
  });
  asked.on('error', () => response.destroy()).end();
};
const proxy = createServer(forward).on('connect', (request, socket: Socket) => {
  const [host = '', port = ''] = (request.url ?? '').split(':');
  tunnels.push(`${host}:${port}`);
  const upstream = connect(Number(registry.host.split(':')[1]), '127.0.0.1', () =>
    socket.write('HTTP/1.1 200 OK\r\n\r\n'),
  );
  upstream.on('error', () => socket.destroy());
  socket.on('error', () => upstream.destroy());
  upstream.pipe(socket).pipe(upstream);
});
const proxyUrl = (): string => `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;

beforeAll(async () => {
  registry = await startFakeRegistry();
  digest = storeDockerImage(registry, 'team/app:1');
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
});
afterAll(async () => {
  proxy.close();
  proxy.closeAllConnections();
  await registry.close();
});

/** This machine by an address that is none of loopback by its number. */
const here = (): string => registry.host.replace('127.0.0.1', '0.0.0.0');

const printed = async (source: string, noProxy: Readonly<Record<string, string>>) => {
  tunnels.length = 0;
  const args = ['--input-type=module', '--eval', source];
  const variables = { NODE_USE_ENV_PROXY: '1', HTTPS_PROXY: proxyUrl(), HTTP_PROXY: proxyUrl(), ...noProxy };
  const { stdout } = await run(process.execPath, args, { env: variables, timeout: 50_000 });
  return stdout;
};
const read = (host: string, noProxy: string) => printed(program(`${host}/team/app:1`), { NO_PROXY: noProxy });
/** Downloads a blob, and hands a guarded fetch the same URL. */
const others = (url: string): string => `
  import { download } from './lib/steps/prepare/download.ts';
  import { blobFetch } from './functions/egress.ts';
  import { parseCidrs } from './lib/egress/cidr.ts';
  const settings = { KPACKLESS_EGRESS_ALLOW: parseCidrs('0.0.0.0/8 10.0.0.0/8'), KPACKLESS_EGRESS_DENY: [], KPACKLESS_EGRESS_PRIVATE: 'refuse' };
  const signal = AbortSignal.timeout(5000);
  const sum = await download(new URL(${JSON.stringify(url)}), '/dev/null', { signal, retryAfterMilliseconds: [] });
  const answer = await blobFetch(settings)(new URL(${JSON.stringify(url)}), {});
  answer.discard();
  process.stdout.write(sum.length + ' ' + answer.status, () => process.exit());`;

describe('registries behind a proxy', { timeout: 60_000 }, () => {
  it('are reached through it, whatever DNS says here', async () => {
    expect(await read('registry.local:5000', '')).toBe(digest);
    expect(new Set(tunnels)).toEqual(new Set(['registry.local:5000']));
  });

  it('are reached without it on loopback, which NO_PROXY need not name', async () => {
    expect(await read(registry.host, '')).toBe(digest);
    expect(tunnels).toEqual([]);
  });

  it.each(['0.0.0.0', '0.0.0.0/8', '*', 'example.com, 0.0.0.0/30 other.example', 'its port'])(
    'are, as blobs are in pods and in functions, reached without it when NO_PROXY names them: %s',
    async (names) => {
      const noProxy = names === 'its port' ? here() : names;
      expect(await printed(others(`http://${here()}/v2/`), { NO_PROXY: noProxy })).toBe('64 200');
      expect(tunnels).toEqual([]);
    },
  );

  it('are reached through it when NO_PROXY names them by another port', async () => {
    expect(await read('registry.local:5000', 'registry.local:5001, 10.0.0.0/8')).toBe(digest);
    expect(new Set(tunnels)).toEqual(new Set(['registry.local:5000']));
  });

  it('are one with blobs, whatever the letters of the variable', async () => {
    const url = `http://${here()}/v2/`;
    for (const variables of [
      { NO_PROXY: '0.0.0.0/8' },
      { no_proxy: '0.0.0.0/8', NO_PROXY: 'not this' },
      { no_proxy: '', NO_PROXY: '0.0.0.0/8' },
    ])
      expect(await printed(others(url), variables)).toBe('64 200');
    expect(tunnels).toEqual([]);
    expect(await printed(others('http://10.0.0.2/v2/'), { NO_PROXY: '10.0.0.0/31' })).toBe('64 200');
    expect(tunnels).toEqual(['10.0.0.2', '10.0.0.2']);
  });
});
