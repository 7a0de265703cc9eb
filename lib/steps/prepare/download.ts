/** Downloads one file over http(s) to disk, with limits, deadlines and a few retries. */
import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { STATUS_CODES } from 'node:http';
import { type OpenAnswer, openFetch } from '../../egress/fetch.ts';
import { ExpectedError, PermanentError } from '../../errors/expected.ts';
import { networkCause } from '../../errors/network-cause.ts';
import { basicAuthorization } from '../../secrets/authorization.ts';
import { loginIn, withoutLogin } from '../../secrets/url-login.ts';
import { shownUrl } from '../../text/shown-url.ts';
import { decompressed } from '../archive/decompress.ts';

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

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const maxRedirects = 10;

const fetch = openFetch();

/** An archive is wanted as it is stored; some hosts answer nobody who does not say who he is. */
const usualHeaders = { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'kpackless' };

/** Only these may be different a moment later (DESIGN §4). */
const transientStatus = new Set([408, 425, 429, 500, 502, 503, 504]);

/**
 * Writes the file and answers the sha256 of its bytes in hex. Credentials stay with the host they are for: a redirect elsewhere loses them.
 * @throws ExpectedError `failed to get blob <url>: <status>` and network failures, told without query or credentials. https never becomes http.
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

async function once(url: URL, file: string, options: DownloadOptions): Promise<string> {
  const { maxBytes, silenceMilliseconds } = { ...defaults, ...options };
  const silence = new Silence(silenceMilliseconds);
  const signal = AbortSignal.any([options.signal, silence.signal]);
  const failed = (error: unknown): never => {
    throw told(url, error, options.signal, silence);
  };
  try {
    const response = await follow(url, options.headers, signal).catch(failed);
    silence.heard();
    if (response.status !== 200) throw await refusal(url, response);
    const hash = createHash('sha256');
    const handle = await open(file, 'w', 0o600);
    try {
      let size = 0;
      for await (const chunk of contentOf(url, response, { heard: () => silence.heard(), failed })) {
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
  } finally {
    silence.end();
  }
}

/** The answer at the end of all redirects. @throws ExpectedError */
async function follow(
  start: URL,
  given: Readonly<Record<string, string>> = {},
  signal: AbortSignal,
): Promise<OpenAnswer> {
  const login = 'authorization' in given ? undefined : loginIn(start);
  const headers = login === undefined ? given : { ...given, authorization: basicAuthorization(login) };
  let url = withoutLogin(start);
  for (let hop = 0; hop <= maxRedirects; hop += 1) {
    // Every header may be a credential (s3-helper.ts signs with several): they stay with the origin they are for.
    const response = await fetch(url, {
      headers: { ...usualHeaders, ...(url.origin === start.origin ? headers : {}) },
      redirect: 'manual',
      signal,
    });
    const location = response.headers.get('location');
    if (!redirects.has(response.status) || location === null) return response;
    response.discard();
    url = next(url, location);
  }
  throw new PermanentError('', `failed to get blob ${shownUrl(start)}: it redirects more than ${maxRedirects} times`);
}

/** Where a redirect leads, without the login that may stand in it. From https only to https. */
function next(from: URL, location: string): URL {
  const target = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  const isFine = target?.protocol === 'https:' || (target?.protocol === 'http:' && from.protocol === 'http:');
  if (target !== undefined && isFine) return withoutLogin(target);
  const why = target === undefined ? 'without saying where' : `to ${target.protocol}//, which is not followed`;
  throw new PermanentError('', `failed to get blob ${shownUrl(from)}: it redirects ${why}`);
}

/** The word of S3, Azure and Google for what went wrong. The rest of a body is the host's: it may repeat what we sent. */
function storageCode(body: string): string {
  const code = /<Code>([A-Za-z0-9.]{1,60})<\/Code>/.exec(body)?.[1];
  return code === undefined ? '' : `: ${code}`;
}

async function refusal(url: URL, response: OpenAnswer): Promise<ExpectedError> {
  const code = storageCode(await firstBytes(response, 1024));
  return new ExpectedError(
    `failed to get blob ${shownUrl(url)}: ${response.status} ${STATUS_CODES[response.status] ?? ''}${code}`,
    {
      pace: transientStatus.has(response.status) ? 'soon' : 'slow',
      host: url.host,
    },
  );
}

async function firstBytes(response: OpenAnswer, limit: number): Promise<string> {
  let text = '';
  const decoder = new TextDecoder();
  try {
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length >= limit) break;
    }
  } catch {
    // What has come of the host's words is enough: the status says the rest.
  }
  return text.slice(0, limit);
}

/** What is to be known of bytes on their way. */
interface Arriving {
  readonly heard: () => void;
  /** Throws what a failure of the network means. */
  readonly failed: (error: unknown) => never;
}

/** What a browser would be sent, and nobody else can read. */
const webEncodings: ReadonlySet<string> = new Set(['br', 'deflate']);

/**
 * The file as it is stored: hosts may keep it in gzip for the way, and then send it so whether or not that is asked for; Go, and kpack, take it out.
 * Other words there are left alone, as in Go: many hosts say of an archive what it is itself, or nonsense.
 */
function contentOf(url: URL, response: OpenAnswer, { heard, failed }: Arriving): AsyncIterable<Uint8Array> {
  const encoding = (response.headers.get('content-encoding') ?? '').trim().toLowerCase();
  const bytes = (async function* (): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of response.body ?? []) {
        heard();
        yield chunk;
      }
    } catch (error) {
      failed(error);
    }
  })();
  if (encoding === 'gzip') return decompressed(bytes, 'gzip');
  if (!webEncodings.has(encoding)) return bytes;
  response.discard();
  throw new PermanentError(
    '',
    `failed to get blob ${shownUrl(url)}: it is sent in the encoding ${encoding}, which was not asked for and is not read`,
  );
}

/** A failure of the network as one of ours. */
function told(url: URL, error: unknown, caller: AbortSignal, silence: Silence): unknown {
  if (error instanceof ExpectedError || error instanceof PermanentError) return error;
  if (caller.aborted) return caller.reason;
  return new ExpectedError(`failed to get blob ${shownUrl(url)}: ${silence.verdict() ?? networkCause(error)}`, {
    cause: error,
    host: url.host,
  });
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

  /** What to say when that is how it ended. */
  verdict(): string | undefined {
    return this.signal.aborted ? `nothing received for ${this.#milliseconds / 1000} s` : undefined;
  }

  heard(): void {
    clearTimeout(this.#timer);
    const because = (): void => this.#controller.abort(new DOMException('silence', 'TimeoutError'));
    this.#timer = setTimeout(because, this.#milliseconds);
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}
