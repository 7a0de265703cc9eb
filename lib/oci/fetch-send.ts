/** The bottom layer: one request over the platform's fetch, with a watchdog in place of fetch's lenient time-outs. */
import { networkCause } from '../errors/network-cause.ts';
import { OciError } from './errors.ts';
import type { AnswerHeaders, HttpRequest, HttpResponse, Send } from './http.ts';
import { startWatchdog, type Watchdog } from './watchdog.ts';

/** What is looked at of an answer. */
export interface FetchAnswer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: AnswerHeaders;
  readonly body: AsyncIterable<Uint8Array> | null;
}

/** What is asked of fetch; the platform's is one. */
export type Fetch = (
  url: URL,
  init: {
    readonly method?: string;
    readonly headers?: Record<string, string>;
    readonly body?: ReadableStream<Uint8Array>;
    readonly duplex?: 'half';
    readonly redirect?: 'manual' | 'error';
    readonly window?: null;
    readonly signal?: AbortSignal | null;
  },
) => Promise<FetchAnswer>;

export interface FetchSendOptions {
  /** Another fetch, for a custom CA (https-fetch.ts) or a short life (node-fetch.ts). */
  readonly fetch?: Fetch | undefined;
  /** Longest wait at a stretch, in ms; four times that while an upload is digested. */
  readonly idleMs?: number | undefined;
  /** Slowest acceptable average once `graceMs` were waited in all. */
  readonly minBytesPerSecond?: number | undefined;
  readonly graceMs?: number | undefined;
}

/**
 * Fetch keeps a copy of a streamed body in case a redirect needs it, without limit, unless a redirect is an error and there is no window to ask
 * (fetch standard, "HTTP-network-or-cache fetch"). Small bodies may be kept; for large ones a redirect is an error.
 */
const teedBytes = 1024 * 1024;
const unbuffered = { redirect: 'error', window: null } as const;

const outgoing = async function* (request: HttpRequest, watchdog: Watchdog): AsyncGenerator<Uint8Array> {
  watchdog.moved(0);
  for await (const chunk of request.body?.open() ?? []) {
    watchdog.waiting();
    yield chunk;
    watchdog.moved(chunk.byteLength);
  }
  watchdog.waiting();
};

const incoming = async function* (
  body: FetchAnswer['body'],
  request: HttpRequest,
  watchdog: Watchdog,
): AsyncGenerator<Uint8Array> {
  try {
    watchdog.waiting();
    for await (const chunk of body ?? []) {
      watchdog.moved(chunk.byteLength);
      yield chunk;
      watchdog.waiting();
    }
  } catch (error) {
    throw failure(request, watchdog, error);
  } finally {
    watchdog.stop();
  }
};

const failure = (request: HttpRequest, watchdog: Watchdog, error: unknown): OciError => {
  // A body's own source may fail with an error of ours, which fetch wraps.
  const inner = error instanceof Error && error.cause instanceof OciError ? error.cause : error;
  if (inner instanceof OciError) return inner;
  const { method, url } = request;
  const late = watchdog.verdict();
  if (late !== undefined) return new OciError('timeout', late, { method, url, cause: error });
  return new OciError('unreachable', networkCause(error), { method, url, cause: error });
};

/** A `Send` over fetch. Redirects are left to redirect.ts. */
export const fetchSend =
  ({
    fetch = globalThis.fetch,
    idleMs = 30_000,
    minBytesPerSecond = 10_000,
    graceMs = 60_000,
  }: FetchSendOptions = {}): Send =>
  async (request): Promise<HttpResponse> => {
    const { method, url, body, signal } = request;
    const watchdog = startWatchdog({
      signal,
      idleMs: body === undefined ? idleMs : 4 * idleMs,
      minBytesPerSecond,
      graceMs: body === undefined ? graceMs : 4 * graceMs,
    });
    try {
      const response = await fetch(url, {
        method,
        headers: { ...request.headers, ...(body === undefined ? {} : { 'content-length': String(body.size) }) },
        ...(body !== undefined && body.size > teedBytes ? unbuffered : { redirect: 'manual' as const }),
        signal: watchdog.signal,
        ...(body === undefined
          ? {}
          : { body: ReadableStream.from(outgoing(request, watchdog)), duplex: 'half' as const }),
      });
      watchdog.moved(0);
      return {
        status: response.status,
        statusText: response.statusText,
        headers: response.headers,
        url,
        body: incoming(response.body, request, watchdog),
      };
    } catch (error) {
      watchdog.stop();
      throw failure(request, watchdog, error);
    }
  };
