/** Downloads one file over http(s) to disk, with limits, deadlines and a few retries. */
import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { ExpectedError, PermanentError } from '../../errors/expected.ts';

export interface DownloadOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Bytes; more is refused. */
  readonly maxBytes?: number;
  /** Longest silence of the other side, before the answer or in it. */
  readonly silenceMilliseconds?: number;
  /** Waits before the second, third … try. */
  readonly retryAfterMilliseconds?: readonly number[];
}

const defaults = { maxBytes: 8 * 1024 ** 3, silenceMilliseconds: 60_000, retryAfterMilliseconds: [1000, 3000] };

/** Only these may be different a moment later (DESIGN §4). */
const transientStatus = new Set([408, 425, 429, 500, 502, 503, 504]);

/**
 * Writes the file and answers the sha256 of its bytes in hex. Credentials stay with the host they are for: a redirect elsewhere loses them.
 * @throws ExpectedError `failed to get blob <url>: <status>: <body>` and network failures, told without query or credentials.
 */
export async function download(url: URL, file: string, options: DownloadOptions): Promise<string> {
  const waits = options.retryAfterMilliseconds ?? defaults.retryAfterMilliseconds;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await once(url, file, options);
    } catch (error) {
      await rm(file, { force: true });
      const wait = waits[attempt];
      const heals = error instanceof ExpectedError && error.pace === 'soon';
      if (!heals || wait === undefined || options.signal.aborted) throw error;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}

/** The URL without user info and query, which may hold signatures. */
function shownUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

async function once(url: URL, file: string, options: DownloadOptions): Promise<string> {
  const { maxBytes, silenceMilliseconds } = { ...defaults, ...options };
  const silence = new Silence(silenceMilliseconds);
  const signal = AbortSignal.any([options.signal, silence.signal]);
  try {
    const response = await fetch(bareUrl(url), { headers: requestHeaders(url, options.headers), signal });
    silence.heard();
    if (response.status !== 200) throw await refusal(url, response);
    const hash = createHash('sha256');
    const handle = await open(file, 'w', 0o600);
    try {
      let size = 0;
      for await (const chunk of bodyOf(response)) {
        silence.heard();
        size += chunk.byteLength;
        if (size > maxBytes)
          throw new PermanentError('BlobTooLarge', `${shownUrl(url)} is larger than ${maxBytes} bytes`);
        hash.update(chunk);
        await handle.write(chunk);
      }
    } finally {
      await handle.close();
    }
    return hash.digest('hex');
  } catch (error) {
    throw told(url, error, options.signal);
  } finally {
    silence.end();
  }
}

/** User info in a URL becomes a header: fetch refuses such URLs. */
function requestHeaders(url: URL, headers: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  if (url.username === '' || 'authorization' in headers) return headers;
  const login = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return { ...headers, authorization: `Basic ${Buffer.from(login).toString('base64')}` };
}

function bareUrl(url: URL): URL {
  const bare = new URL(url);
  bare.username = '';
  bare.password = '';
  return bare;
}

async function refusal(url: URL, response: Response): Promise<ExpectedError> {
  const body = await firstBytes(response, 512);
  return new ExpectedError(`failed to get blob ${shownUrl(url)}: ${response.status} ${response.statusText}: ${body}`, {
    pace: transientStatus.has(response.status) ? 'soon' : 'slow',
    host: url.host,
  });
}

async function firstBytes(response: Response, limit: number): Promise<string> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of bodyOf(response)) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length >= limit) break;
  }
  return text.slice(0, limit);
}

async function* bodyOf(response: Response): AsyncGenerator<Uint8Array> {
  const body: AsyncIterable<Uint8Array> | null = response.body;
  if (body !== null) yield* body;
}

function told(url: URL, error: unknown, caller: AbortSignal): unknown {
  if (error instanceof ExpectedError || error instanceof PermanentError) return error;
  if (caller.aborted) return caller.reason;
  const network = error instanceof TypeError || (error instanceof DOMException && error.name !== 'DataCloneError');
  if (!network) return error;
  const cause = error.cause instanceof Error ? error.cause.message : error.message;
  return new ExpectedError(`failed to get blob ${shownUrl(url)}: ${cause}`, { cause: error, host: url.host });
}

/** Aborts when nothing was heard for a while. */
class Silence {
  readonly #controller = new AbortController();
  readonly #milliseconds: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds;
    this.heard();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  heard(): void {
    clearTimeout(this.#timer);
    const because = (): void =>
      this.#controller.abort(new DOMException(`nothing received for ${this.#milliseconds / 1000} s`, 'TimeoutError'));
    this.#timer = setTimeout(because, this.#milliseconds);
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}
