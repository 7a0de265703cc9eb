/** How talking to a git host can fail, as a closed list: conditions, pace of retries and circuits are decided from the code alone. */
import { ExpectedError, type RetryPace } from '../errors/expected.ts';

/**
 * `credential-invalid` is a Secret whose user, password or text cannot be used; `key-invalid` is a private key we cannot read; `key-refused` one the host does not accept. `host-key-*` speak of the host's own
 * key. `protocol` is an answer that is not git, or larger than we read.
 */
export type GitErrorCode =
  | 'credential-invalid'
  | 'forbidden'
  | 'host-key-mismatch'
  | 'host-key-unknown'
  | 'host-unreachable'
  | 'key-invalid'
  | 'key-refused'
  | 'not-found'
  | 'protocol'
  | 'throttled'
  | 'timeout'
  | 'tls'
  | 'unauthorized';

/** The host is down, slow or asks for patience: tried again soon. Everything else needs a person first: tried again after minutes. */
const TRANSIENT: ReadonlySet<GitErrorCode> = new Set(['host-unreachable', 'throttled', 'timeout']);

/** Only these say that the host itself is ill and may open its circuit (DESIGN §3.14). */
const HOST_ILL: ReadonlySet<GitErrorCode> = new Set(['host-unreachable', 'timeout']);

const paceOf = (code: GitErrorCode): RetryPace => (TRANSIENT.has(code) ? 'soon' : 'slow');

export interface GitErrorOptions extends ErrorOptions {
  /** Host (and port) that was asked; counted against its circuit when the host is ill. */
  readonly host: string;
  /** The host did answer something: whatever went wrong then is about this repository and no other. */
  readonly isAlive?: boolean;
  /** What `Retry-After` asked for, in seconds. */
  readonly retryAfterSeconds?: number | undefined;
}

/** A git host did not give us its refs. The message names the repository without credentials and is fit for a condition. */
export class GitError extends ExpectedError {
  override readonly name = 'GitError';
  readonly code: GitErrorCode;

  constructor(
    code: GitErrorCode,
    message: string,
    { host, isAlive = false, retryAfterSeconds, ...options }: GitErrorOptions,
  ) {
    super(message, {
      ...options,
      pace: paceOf(code),
      retryAfterSeconds,
      host: HOST_ILL.has(code) && !isAlive ? host : undefined,
    });
    this.code = code;
  }
}

/** May the next try succeed without anybody doing anything? */
export const isTransient = (code: GitErrorCode): boolean => TRANSIENT.has(code);
