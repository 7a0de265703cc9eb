/**
 * HTTP as the registry client sees it. Every layer — retry, redirect, authorisation — is a `Send` that wraps another, so each is read
 * and tested alone. A response with an error status is an answer here, not an exception; only silence is one.
 */
import type { AnswerHeaders } from '../egress/fetch.ts';

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A body that can be sent again from its start. */
export interface Replayable {
  readonly size: number;
  readonly open: () => AsyncIterable<Uint8Array>;
}

export interface HttpRequest {
  readonly method: Method;
  readonly url: URL;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Replayable | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The body is a secret or belongs to one place: a redirect to another origin is refused. */
  readonly staysAtOrigin?: boolean | undefined;
  /** Sending it twice is not sending it once: no retry below the caller. */
  readonly once?: boolean | undefined;
}

export interface HttpResponse {
  readonly status: number;
  readonly statusText: string;
  readonly headers: AnswerHeaders;
  /** Where the answer came from, after redirects. */
  readonly url: URL;
  /** The request carried no credential of ours, for none was known (authorize.ts); perhaps with a reason, empty else. */
  readonly anonymous?: string | undefined;
  /** To be iterated once, or given to `discard`; either frees the connection. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** Sends one request. Throws OciError `unreachable` or `timeout`. */
export type Send = (request: HttpRequest) => Promise<HttpResponse>;

/** Bytes in memory as a body. */
export const replay = (
  bytes: Uint8Array,
): Replayable & { readonly openAt: (firstByte: number) => AsyncIterable<Uint8Array> } => {
  const openAt = async function* (firstByte: number): AsyncGenerator<Uint8Array> {
    yield bytes.subarray(firstByte);
  };
  return { size: bytes.byteLength, open: () => openAt(0), openAt };
};

/** Up to `limit` bytes of a body; undefined when there are more (the rest is not read). */
export const readUpTo = async (body: AsyncIterable<Uint8Array>, limit: number): Promise<Uint8Array | undefined> => {
  // One buffer that grows: a body that comes byte by byte would be a million little ones.
  let bytes = Buffer.allocUnsafe(Math.min(limit, 16 * 1024));
  let size = 0;
  for await (const chunk of body) {
    const end = size + chunk.byteLength;
    if (end > limit) return undefined;
    if (end > bytes.byteLength) {
      const larger = Buffer.allocUnsafe(Math.min(limit, Math.max(2 * bytes.byteLength, end)));
      bytes.copy(larger, 0, 0, size);
      bytes = larger;
    }
    bytes.set(chunk, size);
    size = end;
  }
  return bytes.subarray(0, size);
};

/** Frees the connection: a short rest is read so that it can be used again, a long one is cut off. */
export const discard = async (response: HttpResponse): Promise<void> => {
  await readUpTo(response.body, 64 * 1024).catch(() => undefined);
};
