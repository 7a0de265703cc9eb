/** Misbehaviour of the fake registry, chosen by method and path. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from './fake-registry-api.ts';

/** What happens in place of, or to, the answer. */
type Misbehaviour =
  /** A status in place of the answer; `retryAfter` is the header's value. */
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: string; readonly body?: string }
  /** The connection is cut before anything is said. */
  | { readonly kind: 'reset' }
  /** Half of the request's body is read, then 500. */
  | { readonly kind: 'fail-mid-upload' }
  /** Nothing is ever said. */
  | { readonly kind: 'hang' }
  /** Half of the answer's body, then the connection is cut. */
  | { readonly kind: 'truncate' }
  /** The last byte of the answer's body is another one. */
  | { readonly kind: 'corrupt' }
  /** The answer's body comes byte by byte, `everyMs` apart. */
  | { readonly kind: 'slow-loris'; readonly everyMs: number }
  /** 307 to this URL; the original path is appended when it ends in `/`. */
  | { readonly kind: 'redirect'; readonly to: string }
  /** Every token given out so far is refused from this request on. */
  | { readonly kind: 'expire-tokens' }
  /** A header is replaced or, when undefined, left out. */
  | { readonly kind: 'header'; readonly name: string; readonly value: string | undefined };

export type Fault = Misbehaviour & {
  readonly method?: string;
  /** Tested against path and query. */
  readonly path?: RegExp;
  /** How often it strikes; once unless given. */
  readonly times?: number;
  /** So many requests it lets pass before it strikes. */
  readonly skip?: number;
};

type Log = (status: number, bodyBytes: number) => void;

export interface FaultInjector {
  readonly add: (fault: Fault) => void;
  readonly faultFor: (method: string, url: URL) => Fault | undefined;
  /** True when the request has been dealt with. */
  readonly before: (fault: Fault, request: IncomingMessage, response: ServerResponse, log: Log) => Promise<boolean>;
  readonly after: (fault: Fault, answer: Answer, response: ServerResponse) => Promise<boolean>;
}

const drain = async (request: IncomingMessage): Promise<number> => {
  let size = 0;
  for await (const chunk of request) size += (chunk as Buffer).byteLength;
  return size;
};

const drip = async (response: ServerResponse, body: Buffer, everyMs: number): Promise<void> => {
  for (const byte of body) {
    if (response.destroyed) return;
    response.write(Buffer.from([byte]));
    await sleep(everyMs);
  }
  response.end();
};

const before: FaultInjector['before'] = async (fault, request, response, log) => {
  switch (fault.kind) {
    case 'status': {
      const size = await drain(request);
      log(fault.status, size);
      const headers = fault.retryAfter === undefined ? {} : { 'retry-after': fault.retryAfter };
      response.writeHead(fault.status, headers).end(fault.body ?? '');
      return true;
    }
    case 'reset':
      log(0, 0);
      request.socket.destroy();
      return true;
    case 'hang':
      log(0, 0);
      return true;
    case 'fail-mid-upload': {
      const half = Number(request.headers['content-length'] ?? 0) / 2;
      let size = 0;
      for await (const chunk of request) {
        size += (chunk as Buffer).byteLength;
        if (size >= half) break;
      }
      log(500, size);
      response.writeHead(500, { connection: 'close' }).end();
      return true;
    }
    case 'redirect': {
      const size = await drain(request);
      log(307, size);
      const location = fault.to.endsWith('/') ? fault.to + (request.url ?? '/').slice(1) : fault.to;
      response.writeHead(307, { location }).end();
      return true;
    }
    default:
      return false;
  }
};

const after: FaultInjector['after'] = async (fault, { status, headers, body = Buffer.alloc(0) }, response) => {
  const full = { 'content-length': String(body.byteLength), ...headers };
  switch (fault.kind) {
    case 'truncate':
      response
        .writeHead(status, full)
        .write(body.subarray(0, Math.floor(body.byteLength / 2)), () => response.destroy());
      return true;
    case 'corrupt': {
      const wrong = Buffer.from(body);
      wrong.writeUInt8(255 - (wrong.at(-1) ?? 0), wrong.byteLength - 1);
      response.writeHead(status, full).end(wrong);
      return true;
    }
    case 'slow-loris':
      response.writeHead(status, full);
      await drip(response, body, fault.everyMs);
      return true;
    case 'header': {
      const { [fault.name]: _, ...others } = full as Readonly<Record<string, string>>;
      response
        .writeHead(status, fault.value === undefined ? others : { ...others, [fault.name]: fault.value })
        .end(body);
      return true;
    }
    default:
      return false;
  }
};

export const faultInjector = (initial: readonly Fault[]): FaultInjector => {
  const begin = (fault: Fault) => ({ fault, left: fault.times ?? 1, passing: fault.skip ?? 0 });
  const active = initial.map(begin);
  return {
    add: (fault) => {
      active.push(begin(fault));
    },
    faultFor: (method, url) => {
      const hit = active.find(
        ({ fault, left }) =>
          left > 0 &&
          (fault.method ?? method) === method &&
          (fault.path?.test(url.pathname + url.search) ?? url.pathname !== '/v2/'),
      );
      if (hit !== undefined && hit.passing > 0) {
        hit.passing--;
        return undefined;
      }
      if (hit !== undefined) hit.left--;
      return hit?.fault;
    },
    before,
    after,
  };
};
