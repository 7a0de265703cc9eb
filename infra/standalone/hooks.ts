/** Push hooks in standalone mode: HTTP in front of the handler that AWS puts behind a function URL. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { UrlEvent } from '../../lib/hooks/function-url.ts';
import { maxHookBytes } from '../../lib/hooks/request.ts';

/** The handler of `functions/hooks`. */
export type HookHandler = (event: UrlEvent) => Promise<APIGatewayProxyStructuredResultV2>;

/** A listening endpoint. */
export interface HookEndpoint {
  readonly port: number;
  close(): Promise<void>;
}

/** A slow sender does not hold a connection longer than this. */
const requestMilliseconds = 10_000;

/** The body; cut just behind what is accepted, so that the handler refuses it. */
const bodyOf = async (request: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Stopping to read must not end the connection: the answer still goes out.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > maxHookBytes) break;
  }
  return Buffer.concat(chunks);
};

const eventOf = (request: IncomingMessage, body: Buffer): UrlEvent => ({
  requestContext: { http: { method: request.method ?? '' } },
  headers: Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(',') : value]),
  ),
  body: body.toString('base64'),
  isBase64Encoded: true,
});

const serve = async (handler: HookHandler, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const { statusCode = 500, headers = {}, body = '' } = await handler(eventOf(request, await bodyOf(request)));
  const plain = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
  response.writeHead(statusCode, { ...plain, connection: 'close' }).end(body);
};

/** Listens on `host`, loopback without; put something with TLS in front of it for hosts outside. Rejects when the port is taken. */
export const serveHooks = async (handler: HookHandler, port: number, host = '127.0.0.1'): Promise<HookEndpoint> => {
  const server = createServer({ requestTimeout: requestMilliseconds }, (request, response) => {
    serve(handler, request, response).catch(() => response.writeHead(500, { connection: 'close' }).end());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: async () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
