/**
 * What may stand between us and an API server, over real HTTPS on loopback: it hands everything on but for a share of the requests, which meet
 * a fault. Who asks is known to the server by his token alone, as TLS ends here. Which request meets one is decided by a seed.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { selfSigned } from './self-signed.ts';

/**
 * A status that the proxy answers itself; a `reset` before anything was carried out; or an answer that is `lost`: the server has carried the
 * request out, and the connection breaks.
 */
export type Fault = 429 | 500 | 503 | 'reset' | 'lost';

/** What is to go wrong from now on. */
export interface Faults {
  readonly fault: Fault;
  /** Part of the requests, 0…1. */
  readonly share: number;
  /** What a refusal says in `Retry-After`, in seconds; nothing without. */
  readonly retryAfterSeconds?: number;
}

/** A running proxy. */
export interface FaultProxy {
  /** Its address, and the certificate that vouches for it, PEM. */
  readonly url: string;
  readonly cert: string;
  /** From now on; undefined ends it. */
  set(faults: Faults | undefined): void;
  /** How many requests came, and how many met a fault. */
  readonly counts: { readonly requests: number; readonly faults: number };
  close(): Promise<void>;
}

/** The same numbers for the same seed: mulberry32. */
const seeded = (seed: number) => {
  let state = seed;
  return (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};

const reasons = { 429: 'TooManyRequests', 500: 'InternalError', 503: 'ServiceUnavailable' } as const;

const refuse = (response: ServerResponse, code: 429 | 500 | 503, retryAfterSeconds: number | undefined): void => {
  const status = { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: reasons[code], code };
  response
    .writeHead(code, {
      'content-type': 'application/json',
      ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
    })
    .end(JSON.stringify({ ...status, message: `planned: ${reasons[code]}` }));
};

/** Starts one before the API server at `upstream`, whose certificate `ca` vouches for. */
export const startFaultProxy = async (upstream: string, ca: string, seed = 1): Promise<FaultProxy> => {
  const random = seeded(seed);
  const agent = new Agent({ ca, keepAlive: true, maxSockets: 256 });
  const counts = { requests: 0, faults: 0 };
  let now: Faults | undefined;

  const handOn = (request: IncomingMessage, response: ServerResponse, isLost: boolean): void => {
    const { method, url = '/', headers } = request;
    const onward = httpsRequest(new URL(url, upstream), { method: method ?? 'GET', headers, agent }, (answer) => {
      if (isLost) {
        answer.resume();
        answer.once('end', () => response.destroy());
        return;
      }
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
      answer.once('error', () => response.destroy());
    });
    onward.once('error', () => response.destroy());
    response.once('close', () => onward.destroy());
    request.pipe(onward);
  };

  const { key, cert } = await selfSigned();
  const server = createServer({ key, cert }, (request, response) => {
    counts.requests += 1;
    if (now === undefined || random() >= now.share) return handOn(request, response, false);
    counts.faults += 1;
    // A watch has no end whose loss could be noticed later: it is broken off at once.
    const isWatch = request.url?.includes('watch=true') === true;
    const { fault, retryAfterSeconds } = now;
    if (fault === 'lost' && !isWatch) return handOn(request, response, true);
    if (fault === 'reset' || fault === 'lost') return void request.socket.destroy();
    request.resume();
    refuse(response, fault, retryAfterSeconds);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://127.0.0.1:${port}`,
    cert,
    counts,
    set: (faults) => {
      now = faults;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          agent.destroy();
          resolve();
        });
        server.closeAllConnections();
      }),
  };
};
