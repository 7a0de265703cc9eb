import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { hasHeard, openFetch } from '../../../lib/egress/fetch.ts';
import { guardedFetch } from '../../../lib/egress/guarded-fetch.ts';
import { selfSigned } from '../../support/self-signed.ts';

const servers: TcpServer[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    if ('closeAllConnections' in server) (server as Server).closeAllConnections();
  }
});
const listen = async (server: TcpServer): Promise<number> => {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
};
const serve = (listener: RequestListener): Promise<number> => listen(createServer(listener));
const at = (port: number, scheme = 'http'): URL => new URL(`${scheme}://127.0.0.1:${port}/`);
const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('a connection', () => {
  it('is used again, after answers that were read as after those that were left', async () => {
    const port = await serve((_, response) => response.end('x'.repeat(100)));
    let [read, connections] = [0, 0];
    servers[0]?.on('connection', () => void (connections += 1));
    const fetch = openFetch();
    for (const isRead of [true, false, false, true]) {
      const answer = await fetch(at(port), {});
      // All of it is here before it is left.
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (isRead) for await (const chunk of answer.body ?? []) read += chunk.byteLength;
      else answer.discard();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect([read, connections]).toEqual([200, 1]);
  });

  it('is left in peace by a signal that fires between its answer and its next use', async () => {
    const port = await serve((_, response) => response.end('whole'));
    const stop = new AbortController();
    const answer = await openFetch()(at(port), { signal: stop.signal });
    const body = answer.body?.[Symbol.asyncIterator]();
    const first = await body?.next();
    await body?.return?.();
    // The process would end here, as nobody listens to a connection that is on its way back.
    stop.abort();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(Buffer.from(first?.value ?? []).toString()).toBe('whole');
  });

  it('that died while it was kept is replaced for a question, not for an order', async () => {
    const seen: string[] = [];
    const port = await serve((request, response) => {
      const isSecond = seen.push(request.method ?? '') % 2 === 0;
      // The server closes a kept connection just as the next request is sent on it.
      if (isSecond && request.headers['x-again'] === undefined) request.socket.destroy();
      else response.end();
    });
    const fetch = openFetch();
    const ask = async (method: string) => {
      const answer = await fetch(at(port), { method });
      answer.discard();
      await new Promise((resolve) => setTimeout(resolve, 20));
      return answer.status;
    };
    expect([await ask('GET'), await ask('GET')]).toEqual([200, 200]);
    expect(seen).toEqual(['GET', 'GET', 'GET']);
    await expect(ask('DELETE')).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(seen).toEqual(['GET', 'GET', 'GET', 'DELETE']);
  });
});

describe('whether a host is alive', () => {
  it('is told by any byte of it, a TLS handshake among them', async () => {
    const mute = await listen(createTcpServer());
    expect(hasHeard(await failureOf(openFetch()(at(mute), { signal: AbortSignal.timeout(50) })))).toBe(false);
    const { key, cert } = await selfSigned();
    const shaking = await listen(createTlsServer({ key, cert }, () => undefined));
    const trusting = guardedFetch(() => undefined, { ca: cert, plainHttp: 'anywhere' });
    const error = await failureOf(trusting(at(shaking, 'https'), { signal: AbortSignal.timeout(300) }));
    expect([error instanceof Error, hasHeard(error)]).toEqual([true, true]);
    expect(hasHeard(await failureOf(openFetch()(at(1), {})))).toBe(false);
  });
});
