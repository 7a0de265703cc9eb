/** What an API server, or something that stands before it, may answer; over real HTTP. */
import { getEventListeners } from 'node:events';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { PermanentError } from '../../../lib/errors/expected.ts';
import { kubeClient } from '../../../lib/kube/client.ts';
import { KubeError, saysClusterIsDown } from '../../../lib/kube/errors.ts';
import { tokenConfig } from '../../../lib/kube/kubeconfig.ts';
import { type KubeTransport, kubeTransport } from '../../../lib/kube/transport.ts';
import { selfSigned } from '../../support/self-signed.ts';

let server: Server | undefined;
let transport: KubeTransport | undefined;
afterEach(async () => {
  transport?.close();
  server?.closeAllConnections();
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  server = undefined;
});

const serving = async (listener: RequestListener) => {
  const started = createServer(listener);
  server = started;
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  const address = started.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  transport = kubeTransport(tokenConfig(`http://127.0.0.1:${port}`, '', () => Promise.resolve('t')));
  return kubeClient(transport);
};

const pod = { kind: 'Pod', namespace: 'team', name: 'p' };
const failing = async (
  status: number,
  body: object | string,
  headers: Readonly<Record<string, string>> = {},
): Promise<unknown> => {
  const kube = await serving((_, response) =>
    response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body)),
  );
  return kube.get(pod).catch((error: unknown) => error);
};

describe('an answer', () => {
  it('404 that names the object means that it is gone', async () => {
    expect(await failing(404, { kind: 'Status', reason: 'NotFound', details: { name: 'p' } })).toBeUndefined();
  });

  it.each([
    ['of the kind', { kind: 'Status', reason: 'NotFound', details: {} }],
    ['of another object', { kind: 'Status', reason: 'NotFound', details: { name: 'team' } }],
    ['of a proxy', '404 page not found'],
  ])('404 %s does not', async (_, body) => {
    expect(await failing(404, body)).toMatchObject({ code: 'not-found' });
  });

  it.each([
    [401, 'unauthorized', 'slow', true],
    [403, 'forbidden', 'slow', false],
    [409, 'conflict', 'soon', false],
    [410, 'expired', 'soon', false],
    [429, 'throttled', 'soon', false],
    [500, 'server', 'soon', false],
    [502, 'server', 'soon', true],
    [503, 'server', 'soon', true],
  ] as const)(
    '%i is %s, tried again %s; says that the cluster is of no use: %s',
    async (status, code, pace, isDown) => {
      const error = await failing(status, { message: 'no' });
      expect(error).toMatchObject({ code, pace });
      expect(saysClusterIsDown(error)).toBe(isDown);
    },
  );

  it.each([400, 422])('%i is our mistake', async (status) => {
    expect(await failing(status, { reason: 'Invalid', message: 'spec.x: no' })).toStrictEqual(
      new PermanentError('Invalid', 'spec.x: no'),
    );
  });

  it.each([
    ['a reason that is a list', { reason: [], message: 'no' }, 'no'],
    ['a message that is an object', { message: {} }, '{"message":{}}'],
    ['details that are a text', { message: 'no', details: 'p' }, 'no'],
    ['a name that is a number', { message: 'no', details: { name: 7 } }, 'no'],
    ['null', 'null', 'null'],
    ['a list', '[]', '[]'],
  ])('whose Status is %s is told in words all the same', async (_, body, said) => {
    expect(await failing(400, body)).toStrictEqual(new PermanentError('Invalid', said));
    server?.closeAllConnections();
    const error = await failing(404, body);
    expect(error).toMatchObject({ code: 'not-found', objectName: undefined });
    expect(String(error)).toContain(said);
  });

  it('Retry-After is kept, of the header or of the body', async () => {
    expect(await failing(429, {}, { 'retry-after': '7' })).toMatchObject({ retryAfterSeconds: 7 });
    server?.closeAllConnections();
    expect(await failing(429, { details: { retryAfterSeconds: 9 } })).toMatchObject({ retryAfterSeconds: 9 });
  });

  it('a page with status 200 is a failure that may heal, not a crash', async () => {
    expect(await failing(200, '<html>login</html>')).toMatchObject({ code: 'server' });
  });
});

describe('a connection', () => {
  it('that was closed while the process was frozen does not look like a dead cluster', async () => {
    const sockets: Socket[] = [];
    let requests = 0;
    const kube = await serving((request, response) => {
      requests += 1;
      // The second request on a connection meets one that the server has given up.
      if (sockets.includes(request.socket)) return void request.socket.destroy();
      sockets.push(request.socket);
      response.end(JSON.stringify({ metadata: { name: 'p' } }));
    });
    await kube.get(pod);
    expect(await kube.get(pod)).toMatchObject({ metadata: { name: 'p' } });
    expect(requests).toBe(3);
  });

  it('that breaks under a write is reported: it may have been carried out', async () => {
    const sockets: Socket[] = [];
    const kube = await serving((request, response) => {
      if (sockets.includes(request.socket)) return void request.socket.destroy();
      sockets.push(request.socket);
      response.end(JSON.stringify({ metadata: { name: 'p' } }));
    });
    await kube.get(pod);
    const error = await kube.create({ apiVersion: 'v1', kind: 'Pod', metadata: pod }).catch((why: unknown) => why);
    expect(error).toMatchObject({ code: 'unreachable' });
  });

  it('that is refused on a fresh socket is not tried again and again', async () => {
    let requests = 0;
    const kube = await serving((request) => {
      requests += 1;
      request.socket.destroy();
    });
    await expect(kube.get(pod)).rejects.toBeInstanceOf(KubeError);
    expect(requests).toBe(1);
  });
});

describe('a transport that is closed after a while', () => {
  it('ends what rests at once, lets what is under way go on, and ends that too in the end', async () => {
    const sockets = new Set<Socket>();
    await serving((request, response) => {
      sockets.add(request.socket);
      if (request.url === '/watch') return void response.writeHead(200).write('{}');
      response.end('{}');
    });
    const stream = await transport?.stream({ method: 'GET', path: '/watch' });
    await transport?.send({ method: 'GET', path: '/x' });
    expect(sockets.size).toBe(2);
    const closedAt = performance.now();
    const ended = new Promise((resolve) => stream?.once('close', resolve));
    stream?.on('error', () => undefined);
    transport?.close(300);
    await expect.poll(() => [...sockets].filter(({ destroyed }) => !destroyed).length).toBe(1);
    expect(performance.now() - closedAt).toBeLessThan(250);
    await ended;
    expect(performance.now() - closedAt).toBeGreaterThan(250);
  });
});

describe('a request', () => {
  const half = (response: ServerResponse) => void response.writeHead(200).write('{"half":');

  it('whose answer stops in the middle ends at its deadline, as one without answer does', async () => {
    await serving((_, response) => half(response));
    const asking = transport?.send({ method: 'GET', path: '/x', deadlineSeconds: 0.2 });
    await expect(asking).rejects.toMatchObject({ code: 'timeout' });
    server?.closeAllConnections();
    await serving(() => undefined);
    const waiting = transport?.send({ method: 'GET', path: '/x', deadlineSeconds: 0.2 });
    await expect(waiting).rejects.toMatchObject({ code: 'timeout' });
  });

  it('whose answer breaks off is no answer', async () => {
    const kube = await serving((_, response) => void response.write('{"half":', () => response.destroy()));
    await expect(kube.get(pod)).rejects.toMatchObject({ code: 'unreachable' });
  });

  it.each([
    ['before it is sent', 0, () => undefined],
    ['before its answer', 50, () => undefined],
    ['in the middle of its answer', 100, half],
  ])('ends when its caller gives up %s', async (_, milliseconds, answer) => {
    await serving((_request, response) => answer(response));
    const caller = new AbortController();
    if (milliseconds === 0) caller.abort();
    else setTimeout(() => caller.abort(), milliseconds);
    const asking = transport?.send({ method: 'GET', path: '/x', signal: caller.signal });
    await expect(asking).rejects.toMatchObject({ code: 'timeout' });
  });

  it('leaves nothing behind with its caller, however it ends', async () => {
    let answers = 0;
    await serving((_, response) => {
      answers += 1;
      response.writeHead(answers % 2 === 0 ? 500 : 200).end('{}');
    });
    const { signal } = new AbortController();
    for (let n = 0; n < 4; n += 1)
      await transport?.send({ method: 'GET', path: '/x', signal }).catch((error: unknown) => error);
    const log = await transport?.stream({ method: 'GET', path: '/x', signal });
    for await (const _ of log ?? []);
    expect([answers, getEventListeners(signal, 'abort').length]).toStrictEqual([5, 0]);
  });

  it('asks who we are once a second, not each time, and again at once when nobody knew', async () => {
    const { key, cert } = await selfSigned();
    const asked: string[] = [];
    const started = createHttpsServer({ key, cert }, ({ headers }, response) => {
      asked.push(headers.authorization ?? '');
      response.end('{}');
    });
    server = started;
    await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
    const { port } = started.address() as AddressInfo;
    let tokens = 0;
    const token = (): Promise<string> => {
      tokens += 1;
      return tokens === 1 ? Promise.reject(new Error('the metadata service is away')) : Promise.resolve(`t${tokens}`);
    };
    const secure = kubeTransport(tokenConfig(`https://127.0.0.1:${port}`, Buffer.from(cert).toString('base64'), token));
    transport = secure;
    const send = () => secure.send({ method: 'GET', path: '/x' });
    await expect(send()).rejects.toBeInstanceOf(KubeError);
    await Promise.all([send(), send(), send()]);
    await send();
    // One for the certificates of all connections, one for the header.
    expect(tokens).toBe(3);
    await new Promise((resolve) => setTimeout(resolve, 1050));
    const before = tokens;
    await send();
    expect([tokens - before, new Set(asked).size]).toStrictEqual([1, 2]);
  });
});

describe('the log of a container', () => {
  it('is read as a stream to its end, of which so much is kept as is asked for', async () => {
    const paths: (string | undefined)[] = [];
    const kube = await serving(({ url }, response) => {
      paths.push(url);
      for (let line = 0; line < 5000; line += 1) response.write(`line ${line}\n`);
      response.end('the end');
    });
    const { bytes, leftOut } = await kube.logEnd(pod, 'build', 30, 5);
    expect(Buffer.from(bytes).toString()).toBe('line 4998\nline 4999\nthe end');
    expect(leftOut).toBeGreaterThan(48_000);
    expect(paths).toEqual(['/api/v1/namespaces/team/pods/p/log?container=build']);
  });

  it.each([
    ['falls silent', (response: ServerResponse) => response.write('half')],
    ['breaks off', (response: ServerResponse) => response.write('half', () => response.destroy())],
  ])('that %s is not taken for whole', async (_, answer) => {
    const kube = await serving((_request, response) => void answer(response));
    await expect(kube.logEnd(pod, 'build', 30, 0.5)).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('did not hand out the whole log') as string,
    });
  });

  it('of a container that never started is a refusal for good', async () => {
    const kube = await serving((_, response) =>
      response.writeHead(400).end('{"reason":"BadRequest","message":"container is waiting to start"}'),
    );
    await expect(kube.logEnd(pod, 'build', 30, 5)).rejects.toBeInstanceOf(PermanentError);
  });
});
