/**
 * Conversion over TLS, for the API server (Kubernetes, "Webhook conversion"). Whoever reaches the port may ask: an answer is a function of what was sent and
 * tells nothing else. So what is sent has a limit, and so have slow senders.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { finished } from 'node:stream/promises';
import { PermanentError } from '../errors/expected.ts';
import type { Pair } from '../tls/certificate.ts';
import { conversionPath } from './path.ts';
import { convertReview } from './review.ts';
import { Room } from './room.ts';

/** A listening endpoint. */
export interface ConversionEndpoint {
  readonly port: number;
  /** From now on shows this certificate to whoever connects. */
  use(pair: Pair): void;
  close(): Promise<void>;
}

/** A page of 500 objects, which kubectl asks for, is some 1 to 2 MB. */
const mostBytes = 3 * 1024 * 1024;
/**
 * Of all reviews together, as whoever reaches the port may send some: thirty of the longest at once then take 75 MB, with what they are converted to, and
 * the relay lives in 192 MiB (infra/cluster/relay.yaml).
 */
const mostBytesInFlight = 2 * mostBytes;
/** From the moment that a review has room until its answer is gone; the API server is on the same network. */
const exchangeMilliseconds = 5000;
/** The same with waiting for room. The API server itself gives up after 30 s. */
const requestMilliseconds = 20_000;
const mostConnections = 64;

/** The whole body; undefined when it is longer than `most`. */
const bodyOf = async (request: IncomingMessage, most: number): Promise<Buffer | undefined> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > most) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
};

const parsed = (body: Buffer): unknown => {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
};

/** Answers one request within the room that all have. What takes too long is cut off. */
const answer = async (request: IncomingMessage, response: ServerResponse, room: Room): Promise<void> => {
  const refuse = (status: number, why: string): void => {
    response.writeHead(status, { 'content-type': 'text/plain', connection: 'close' }).end(`${why}\n`);
  };
  // Behind the path the API server adds how long it waits.
  const [path] = (request.url ?? '').split('?');
  if (path !== conversionPath || request.method !== 'POST')
    return refuse(404, `POST a ConversionReview to ${conversionPath}`);
  // A sender who does not say how much comes may send the most.
  const announced = Number(request.headers['content-length'] ?? mostBytes);
  const refuseLong = (): void => refuse(413, `more than ${mostBytes} bytes: ask for the objects in pages`);
  if (!(announced <= mostBytes)) return refuseLong();
  const leave = await room.take(announced, AbortSignal.timeout(requestMilliseconds));
  const late = setTimeout(() => response.destroy(), exchangeMilliseconds);
  try {
    const body = await bodyOf(request, announced);
    const review = body && convertReview(parsed(body));
    if (body === undefined) refuseLong();
    else if (review === undefined) refuse(400, 'this is no ConversionReview of apiextensions.k8s.io/v1');
    else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(review));
    await finished(response);
  } finally {
    clearTimeout(late);
    leave();
  }
};

/** Listens with its first certificate. @throws PermanentError when the port is taken */
export const serveConversion = async (host: string, port: number, first: Pair): Promise<ConversionEndpoint> => {
  const room = new Room(mostBytesInFlight);
  const server = createServer(
    { ...first, minVersion: 'TLSv1.2', requestTimeout: requestMilliseconds },
    (request, response) => {
      answer(request, response, room).catch(() => response.destroy());
    },
  );
  server.maxConnections = mostConnections;
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
