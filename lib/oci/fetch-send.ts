/** The bottom layer: one request over a fetch, with a watchdog in place of fetch's lenient time-outs. */
import { type Fetch, type FetchAnswer, type NodeFetch, openFetch } from '../egress/fetch.ts';
import { EgressRefused } from '../egress/guard.ts';
import { networkCause } from '../errors/network-cause.ts';
import { OciError } from './errors.ts';
import type { HttpRequest, HttpResponse, Send } from './http.ts';
import { startWatchdog, type Watchdog } from './watchdog.ts';

export interface FetchSendOptions {
  /** What goes out to the network: guarded wherever tenants name the hosts (account-registry.ts insists); open unless given, as in pods. */
  readonly fetch?: Fetch | undefined;
  /** Longest wait at a stretch, in ms; four times that while an upload is digested. */
  readonly idleMs?: number | undefined;
  /** Slowest acceptable average once `graceMs` were waited in all. */
  readonly minBytesPerSecond?: number | undefined;
  readonly graceMs?: number | undefined;
}

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

/** The guard's refusal, which the platform's fetch would wrap. */
const refusalIn = (error: unknown): EgressRefused | undefined => {
  if (error instanceof EgressRefused) return error;
  return error instanceof Error && error.cause instanceof EgressRefused ? error.cause : undefined;
};

const failure = (request: HttpRequest, watchdog: Watchdog, error: unknown): OciError => {
  // A body's own source may fail with an error of ours, which fetch wraps.
  const inner = error instanceof Error && error.cause instanceof OciError ? error.cause : error;
  if (inner instanceof OciError) return inner;
  const { method, url } = request;
  const refused = refusalIn(error);
  if (refused !== undefined) return new OciError('not-asked', refused.message, { cause: refused });
  const late = watchdog.verdict();
  if (late !== undefined) return new OciError('timeout', late, { method, url, cause: error });
  return new OciError('unreachable', networkCause(error), { method, url, cause: error });
};

/** Made when it is first used: functions never use it. */
let open: NodeFetch | undefined;
const pods: Fetch = (url, init) => {
  open ??= openFetch();
  return open(url, init);
};

/** A `Send` over fetch. Redirects are left to redirect.ts. */
export const fetchSend =
  ({ fetch = pods, idleMs = 30_000, minBytesPerSecond = 10_000, graceMs = 60_000 }: FetchSendOptions = {}): Send =>
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
        redirect: 'manual',
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
