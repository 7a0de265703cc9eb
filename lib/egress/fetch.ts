/**
 * As much of fetch as clients of registries, git hosts and blobs use, on node:http and node:https: the platform's fetch cannot be given what
 * its connections are made by, nor a certificate authority, and takes a tenth of half a second to load.
 */
import {
  type AgentOptions,
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { proxying } from './proxied.ts';
import { trustGivenCertificates } from './trust.ts';

/** Fields of an answer, by name in any case. */
export interface AnswerHeaders {
  get(name: string): string | null;
  has(name: string): boolean;
}

/** What is looked at of an answer. */
export interface FetchAnswer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: AnswerHeaders;
  readonly body: AsyncIterable<Uint8Array> | null;
}

/** An answer of ours, which may be left before its end. */
export interface OpenAnswer extends FetchAnswer {
  /** The rest of the body is not wanted. */
  readonly discard: () => void;
}

interface FetchInit {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: ReadableStream<Uint8Array>;
  readonly duplex?: 'half';
  readonly redirect?: 'manual';
  readonly signal?: AbortSignal | null;
}

/** What is asked of fetch; the platform's is one. */
export type Fetch = (url: URL, init: FetchInit) => Promise<FetchAnswer>;

/** Ours: never follows redirects. */
export type NodeFetch = (url: URL, init: FetchInit) => Promise<OpenAnswer>;

/** The agents of a fetch. */
export interface Agents {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
}

/** How long a connection that nobody uses is kept, in ms: hosts that tenants name must not collect ours. */
const idleMilliseconds = 4000;

/** What agents are made with: connections are kept from request to request. */
export const agentOptions: AgentOptions = { keepAlive: true, timeout: idleMilliseconds, maxSockets: 32 };

/** Statuses whose responses must not have a body (fetch standard, "null body status"). */
const bodiless: ReadonlySet<number> = new Set([101, 103, 204, 205, 304]);

/** Repeated fields are one, as in fetch. */
const headersOf = ({ headersDistinct }: IncomingMessage): AnswerHeaders => ({
  get: (name) => headersDistinct[name.toLowerCase()]?.join(', ') ?? null,
  has: (name) => headersDistinct[name.toLowerCase()] !== undefined,
});

/** Frees the connection: for the next request when everything has arrived, else by its end. */
const leave = (incoming: IncomingMessage): void => {
  if (incoming.complete) incoming.resume();
  else incoming.destroy();
};

const bodyOf = async function* (incoming: IncomingMessage): AsyncGenerator<Uint8Array> {
  try {
    yield* incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
  } finally {
    leave(incoming);
  }
};

const answerOf = (incoming: IncomingMessage, method: string): OpenAnswer => {
  const { statusCode: status = 500, statusMessage: statusText = '' } = incoming;
  const none = bodiless.has(status) || method === 'HEAD';
  if (none) incoming.resume();
  const body = none ? null : bodyOf(incoming);
  return { status, statusText, headers: headersOf(incoming), body, discard: () => leave(incoming) };
};

/** A kept connection had died before the request reached anybody: a frozen process does not see its connections end. */
const wasDead = ({ reusedSocket }: ClientRequest, error: Error): boolean =>
  reusedSocket && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');

const held = new WeakSet<Socket>();

/** Between its answer and its agent nobody listens to a connection: a signal that fires just then would end the process. */
const hold = (socket: Socket): void => {
  if (held.has(socket)) return;
  held.add(socket);
  socket.on('error', () => undefined);
};

const heard = new WeakSet<object>();

/** Did the host send anything before the request failed with this error, be it its part of a TLS handshake or an earlier answer? Then it is alive. */
export const hasHeard = (error: unknown): boolean => typeof error === 'object' && error !== null && heard.has(error);

/** A fetch over these agents. Sends only streams. */
export const fetchOver = ({ http, https }: Agents): NodeFetch => {
  const send: NodeFetch = (url, { method = 'GET', headers, body, signal }) =>
    new Promise((resolve, reject) => {
      const secure = url.protocol === 'https:';
      const options = { method, headers: { ...headers }, agent: secure ? https : http, ...(signal ? { signal } : {}) };
      const outgoing = (secure ? httpsRequest : httpRequest)(url, options, (incoming) =>
        resolve(answerOf(incoming, method)),
      );
      let hasShaken = false;
      outgoing.once('socket', (socket) => {
        hold(socket);
        // A connection that is used again shook hands long ago, one in the clear never does: they would collect listeners.
        if ('secureConnecting' in socket && socket.secureConnecting === true)
          socket.once('secureConnect', () => (hasShaken = true));
      });
      outgoing.on('error', (error) => {
        const isAlive = hasShaken || outgoing.reusedSocket || (outgoing.socket?.bytesRead ?? 0) > 0;
        if (isAlive) heard.add(error);
        if (!['GET', 'HEAD'].includes(method) || !wasDead(outgoing, error)) reject(error);
        else resolve(send(url, { method, ...(headers && { headers }), ...(signal && { signal }) }));
      });
      if (body === undefined) {
        outgoing.end();
        return;
      }
      Readable.fromWeb(body)
        .on('error', (error) => {
          outgoing.destroy(error);
          reject(error);
        })
        .pipe(outgoing);
    });
  return send;
};

/**
 * A fetch that goes anywhere and trusts whom the pod trusts. For programs in pods, where tenant code runs anyway, and for the operator's own hosts;
 * never for functions.
 */
export const openFetch = (): NodeFetch => {
  trustGivenCertificates(process.env, { system: true });
  return proxying((options) => {
    const all = { ...agentOptions, ...options };
    return fetchOver({ http: new HttpAgent(all), https: new HttpsAgent(all) });
  });
};
