/** Failures of registries as one class with a closed set of codes (distribution-spec "Error Codes"; spec 04 §9.5). */
import { ExpectedError, type RetryPace } from '../errors/expected.ts';
import { shownUrl } from '../text/shown-url.ts';

/** What went wrong, as far as a caller can act on it. */
export type OciErrorCode =
  /** 401: no credential, or not accepted. */
  | 'unauthorized'
  /** 403: known, but not allowed. */
  | 'denied'
  | 'not-found'
  /** 429. */
  | 'throttled'
  /** 408 and 5xx. */
  | 'unavailable'
  /** Ours to refuse: its address is none that we dial (lib/egress). */
  | 'not-asked'
  /** No answer: refused, reset, DNS, TLS. */
  | 'unreachable'
  /** A deadline of ours or of the caller passed. */
  | 'timeout'
  /** A rule of the registry keeps the tag at another image for ever. */
  | 'immutable'
  /** Any other answer that means no. */
  | 'rejected'
  /** Bytes that are not what they should be: digest, size, JSON, media type, above a limit. */
  | 'invalid-content';

/** One entry of the registry's own error list. */
export interface RegistryMessage {
  readonly code: string;
  readonly message: string;
  /** What it repeats of the question, as kpack prints it; empty when it does not. */
  readonly detail: string;
}

export interface OciErrorOptions extends ErrorOptions {
  readonly method?: string | undefined;
  readonly url?: URL | undefined;
  readonly status?: number | undefined;
  readonly errors?: readonly RegistryMessage[] | undefined;
  readonly retryAfterSeconds?: number | undefined;
}

const soon: ReadonlySet<OciErrorCode> = new Set(['throttled', 'unavailable', 'unreachable', 'timeout']);
const paceOf = (code: OciErrorCode): RetryPace => (soon.has(code) ? 'soon' : 'slow');

/**
 * A registry call that failed. The message is `METHOD URL: what the registry said`, one line, fit for a condition; it never holds a
 * credential. Throttling, 5xx and network failures may be tried again soon and count against the host's circuit; the rest slowly.
 */
export class OciError extends ExpectedError {
  override readonly name = 'OciError';
  readonly code: OciErrorCode;
  readonly method: string | undefined;
  /** As shownUrl shows it. */
  readonly url: string | undefined;
  readonly status: number | undefined;
  readonly errors: readonly RegistryMessage[];

  constructor(
    code: OciErrorCode,
    message: string,
    { method, url, status, errors = [], retryAfterSeconds, ...options }: OciErrorOptions = {},
  ) {
    const prefix = method !== undefined && url !== undefined ? `${method} ${shownUrl(url)}: ` : '';
    super(`${prefix}${message}`, {
      ...options,
      pace: paceOf(code),
      retryAfterSeconds,
      host: soon.has(code) ? url?.host : undefined,
    });
    this.code = code;
    this.method = method;
    this.url = url === undefined ? undefined : shownUrl(url);
    this.status = status;
    this.errors = errors;
  }
}

/** True for an OciError, of this code if one is given. */
export const isOciError = (error: unknown, code?: OciErrorCode): error is OciError =>
  error instanceof OciError && (code === undefined || error.code === code);

/** Content that is not what its name or its type says. */
export const invalidContent = (message: string, options?: OciErrorOptions): OciError =>
  new OciError('invalid-content', message, options);
