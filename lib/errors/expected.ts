/** The two kinds of failure that are not bugs. Adapters subclass ExpectedError; rules throw PermanentError. Everything else is a bug. */

/** How soon an expected failure is tried again: `soon` with exponential back-off from a second, `slow` after minutes (DESIGN §4). */
export type RetryPace = 'soon' | 'slow';

export interface ExpectedErrorOptions extends ErrorOptions {
  readonly pace?: RetryPace;
  /** What the other side asked for (`Retry-After`), in seconds. */
  readonly retryAfterSeconds?: number | undefined;
  /** Host whose circuit this failure counts against; absent when it says nothing about the host's health. */
  readonly host?: string | undefined;
}

/**
 * Registry, git host or API server down, throttling, refusing. Not an exception to the queue: the pass ends with attempts and
 * dueAt in the record and the message is acknowledged (DESIGN §3.6). The message is shown to users, so it says what and where
 * and never carries a secret.
 */
export class ExpectedError extends Error {
  override readonly name: string = 'ExpectedError';
  readonly pace: RetryPace;
  readonly retryAfterSeconds: number | undefined;
  readonly host: string | undefined;

  constructor(message: string, { pace = 'soon', retryAfterSeconds, host, ...options }: ExpectedErrorOptions = {}) {
    super(message, options);
    this.pace = pace;
    this.retryAfterSeconds = retryAfterSeconds;
    this.host = host;
  }
}

/** The spec is wrong and only its author can help. Becomes a False condition with this reason; no retry before the object changes. */
export class PermanentError extends Error {
  override readonly name: string = 'PermanentError';
  /** The condition's reason, CamelCase; empty when kpack's condition carries none. */
  readonly reason: string;

  constructor(reason: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
