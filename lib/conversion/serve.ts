/**
 * Conversion over TLS, for the API server (Kubernetes, "Webhook conversion"). Whoever reaches the port may ask: an answer is a function of what was sent and
 * tells nothing else. So what is sent has a limit, and so have slow senders.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { PermanentError } from '../errors/expected.ts';
import type { Pair } from '../tls/certificate.ts';
import { conversionPath } from './path.ts';
import { convertReview } from './review.ts';

/** A listening endpoint. */
export interface ConversionEndpoint {
  readonly port: number;
  /** From now on shows this certificate to whoever connects. */
  use(pair: Pair): void;
  close(): Promise<void>;
}

/** A page of 500 objects, which kubectl asks for, is some 2 MB; a client that lists everything at once may have 16 times as much. */
const mostBytes = 32 * 1024 * 1024;
const requestMilliseconds = 30_000;

const bodyOf = async (request: IncomingMessage): Promise<Buffer | undefined> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > mostBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

const parsed = (body: Buffer): unknown => {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
};

const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const refuse = (status: number, why: string): void => {
    response.writeHead(status, { 'content-type': 'text/plain', connection: 'close' }).end(`${why}\n`);
  };
  // Behind the path the API server adds how long it waits.
  const [path] = (request.url ?? '').split('?');
  if (path !== conversionPath || request.method !== 'POST')
    return refuse(404, `POST a ConversionReview to ${conversionPath}`);
  const body = await bodyOf(request);
  if (body === undefined) return refuse(413, `more than ${mostBytes} bytes: ask for the objects in pages`);
  const review = convertReview(parsed(body));
  if (review === undefined) return refuse(400, 'this is no ConversionReview of apiextensions.k8s.io/v1');
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(review));
};

/** Listens with its first certificate. @throws PermanentError when the port is taken */
export const serveConversion = async (host: string, port: number, first: Pair): Promise<ConversionEndpoint> => {
  const server = createServer(
    { ...first, minVersion: 'TLSv1.2', requestTimeout: requestMilliseconds },
    (request, response) => {
      answer(request, response).catch(() => response.destroy());
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new PermanentError(
              'PortTaken',
              `port ${port} on ${host} is taken: set KPACKLESS_CONVERSION_PORT to a free one`,
            )
          : error,
      ),
    );
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    use: (pair) => server.setSecureContext({ ...pair, minVersion: 'TLSv1.2' }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
