/** The embedded SQS behind HTTP on loopback, for everything that is another process. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from './clock.ts';
import { type EmbeddedSqs, embedSqs } from './embedded.ts';

export interface StartSqsOptions {
  /** 0 or absent: any free one. */
  readonly port?: number;
  /** Address to listen on; loopback unless told otherwise, since requests are not authenticated. */
  readonly host?: string;
  readonly clock?: Clock;
}

/** A batch of 1 MiB with every character escaped stays below this. */
const maxRequestBytes = 8 * 1024 * 1024;

/** Starts it. Rejects when the port is taken. `close` ends long polls and idle connections, so it does not wait for clients. */
export const startSqs = async ({ port = 0, host = '127.0.0.1', clock }: StartSqsOptions = {}): Promise<EmbeddedSqs> => {
  let endpoint = '';
  const sqs = embedSqs({ ...(clock !== undefined && { clock }), endpoint: () => endpoint });
  const server = createServer((request, response) => {
    void serve(sqs, request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  endpoint = `http://${host}:${(server.address() as AddressInfo).port}`;
  return {
    ...sqs,
    endpoint,
    close: async () => {
      await sqs.close();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
};

const serve = async (sqs: EmbeddedSqs, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const gone = new AbortController();
  // A client that hangs up during a long poll must not take messages with it.
  response.once('close', () => gone.abort());
  const body = await readBody(request).catch(() => undefined);
  if (body === undefined) {
    response.writeHead(413, { connection: 'close' }).end();
    return;
  }
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  );
  const answer = await sqs.dispatch({ headers, body, signal: gone.signal });
  if (response.destroyed) return;
  response.writeHead(answer.status, { ...answer.headers, 'content-length': Buffer.byteLength(answer.body) });
  response.end(answer.body);
};

const readBody = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxRequestBytes) throw new RangeError(`request larger than ${maxRequestBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
};
