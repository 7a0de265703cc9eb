/** An embedded service behind HTTP on loopback, for everything that is another process. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Answer } from './in-process.ts';

export interface ListenOptions {
  /** 0 or absent: any free one. */
  readonly port?: number | undefined;
  /** Address to listen on; loopback unless told otherwise, since requests are not authenticated. */
  readonly host?: string | undefined;
}

export interface Listening {
  /** Origin without a slash at the end. */
  readonly endpoint: string;
  /** Ends idle and busy connections alike: it does not wait for clients. */
  readonly close: () => Promise<void>;
}

/** The largest request either service takes: a batch of SQS with every character escaped, or 16 MiB of DynamoDB. */
const maxRequestBytes = 16 * 1024 * 1024;

/** Starts listening. Rejects when the port is taken. */
export const listen = async (
  answer: Answer,
  { port = 0, host = '127.0.0.1' }: ListenOptions = {},
): Promise<Listening> => {
  const server = createServer((request, response) => {
    void serve(answer, request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return {
    endpoint: `http://${host}:${(server.address() as AddressInfo).port}`,
    close: async () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

const serve = async (answer: Answer, request: IncomingMessage, response: ServerResponse): Promise<void> => {
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
  const { status, headers: own, body: text } = await answer({ headers, body, signal: gone.signal });
  if (response.destroyed) return;
  response.writeHead(status, { ...own, 'content-length': Buffer.byteLength(text) });
  response.end(text);
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
