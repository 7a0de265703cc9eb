/** How talking to a git host can fail, as a closed list: conditions, pace of retries and circuits are decided from the code alone. */
import { ExpectedError, type RetryPace } from '../errors/expected.ts';

/**
 * `credential-invalid` is a Secret whose user, password or text cannot be used; `key-invalid` is a private key we cannot read; `key-refused`
 * one the host does not accept. `host-key-*` speak of the host's own key. `not-asked` is a host whose address we do not dial (lib/egress).
 * `protocol` is an answer that is not git, or larger than we read.
 */
export type GitErrorCode =
  | 'credential-invalid'
  | 'forbidden'
  | 'host-key-mismatch'
  | 'host-key-unknown'
  | 'host-unreachable'
  | 'key-invalid'
  | 'key-refused'
  | 'not-asked'
  | 'not-found'
  | 'protocol'
  | 'throttled'
  | 'timeout'
  | 'tls'
  | 'unauthorized';

/** The host is down, slow or asks for patience: tried again soon. Everything else needs a person first: tried again after minutes. */
const TRANSIENT: ReadonlySet<GitErrorCode> = new Set(['host-unreachable', 'throttled', 'timeout']);

/** Unless it is known better: these mean silence, and a key that we cannot read is found before anybody is dialled (DESIGN §3.14). */
const heardWith = (code: GitErrorCode): Heard => {
  if (code === 'host-unreachable' || code === 'timeout') return 'nothing';
  return code === 'key-invalid' ? 'undialled' : 'something';
};

const paceOf = (code: GitErrorCode): RetryPace => (TRANSIENT.has(code) ? 'soon' : 'slow');

/** What came back from the host: something, nothing, or it was never dialled. Only `nothing` speaks against its health. */
export type Heard = 'nothing' | 'something' | 'undialled';

export interface GitErrorOptions extends ErrorOptions {
  /** Host (and port) that was asked. */
  readonly host: string;
  /** One byte is something: whatever went wrong then is about this repository and no other. Without, the code decides. */
  readonly heard?: Heard;
  /** What `Retry-After` asked for, in seconds. */
  readonly retryAfterSeconds?: number | undefined;
}

/** A git host did not give us its refs. The message names the repository without credentials and is fit for a condition. */
export class GitError extends ExpectedError {
  override readonly name = 'GitError';
  readonly code: GitErrorCode;
  readonly heard: Heard;

  constructor(
    code: GitErrorCode,
    message: string,
    { host, heard = heardWith(code), retryAfterSeconds, ...options }: GitErrorOptions,
  ) {
    super(message, {
      ...options,
      pace: paceOf(code),
      retryAfterSeconds,
      host: heard === 'nothing' ? host : undefined,
    });
    this.code = code;
    this.heard = heard;
  }
}

/** May the next try succeed without anybody doing anything? */
export const isTransient = (code: GitErrorCode): boolean => TRANSIENT.has(code);
