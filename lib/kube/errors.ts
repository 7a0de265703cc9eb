/** What the API server may answer, as the few cases that callers tell apart. */

import { ExpectedError, type ExpectedErrorOptions, PermanentError } from '../errors/expected.ts';
import { parseJsonCutBelow } from '../text/bounded-json.ts';
import { isDenial } from './denied.ts';

/** What callers tell apart; `server` is every other answer of 500 and above. */
export type KubeErrorCode =
  | 'unreachable'
  | 'timeout'
  | 'throttled'
  | 'server'
  | 'unauthorized'
  | 'forbidden'
  | 'not-found'
  | 'conflict'
  | 'already-exists'
  | 'expired';

interface KubeErrorOptions extends ExpectedErrorOptions {
  readonly status?: number | undefined;
  readonly objectName?: string | undefined;
  readonly continueFrom?: string | undefined;
  readonly othersAnswered?: boolean;
}

/** An answer, or the lack of one, that the pass is to be repeated for later. */
export class KubeError extends ExpectedError {
  override readonly name: string = 'KubeError';
  readonly code: KubeErrorCode;
  /** HTTP status; undefined when there was no answer. */
  readonly status: number | undefined;
  /** The cluster answered others at that time: what failed is this call, not the cluster. */
  readonly othersAnswered: boolean;
  /** The object that the answer's Status names. A 404 without one says that the kind is not served, not that the object is gone. */
  readonly objectName: string | undefined;
  /** Of a list whose token has expired: the token by which it goes on behind the last key, in the state of now. */
  readonly continueFrom: string | undefined;

  constructor(code: KubeErrorCode, message: string, options: KubeErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.status = options.status;
    this.objectName = options.objectName;
    this.continueFrom = options.continueFrom;
    this.othersAnswered = options.othersAnswered ?? false;
  }
}

/** Answers of a proxy or of a server that starts or stops; a 500 may be about one object. */
const unavailable: readonly (number | undefined)[] = [502, 503];

/**
 * Whether nobody gets anything from the cluster, as it is in trouble or does not know us: what its circuit counts (DESIGN §3.14). One that throttles
 * is there, and is asked more slowly (§3.33).
 */
export const saysClusterIsDown = (error: unknown): error is KubeError =>
  error instanceof KubeError &&
  !error.othersAnswered &&
  (error.code === 'unreachable' ||
    error.code === 'unauthorized' ||
    error.code === 'timeout' ||
    unavailable.includes(error.status));

/** The same failure of a call, of a cluster that answered others meanwhile. */
export const withOthersAnswered = (error: KubeError): KubeError => {
  const { code, message, cause, pace, retryAfterSeconds, status, objectName } = error;
  return new KubeError(code, message, { cause, pace, retryAfterSeconds, status, objectName, othersAnswered: true });
};

/** What the API server says of its own state or of ours, and no longer when it is well again; the rest is about one object. */
const passing: readonly KubeErrorCode[] = [
  'unreachable',
  'timeout',
  'throttled',
  'server',
  'unauthorized',
  'forbidden',
];

/** Whether the same may succeed as soon as the API server is well again, whatever it failed by: who waits because of it is woken then. */
export const mayPassWithOutage = (error: unknown): boolean =>
  error instanceof KubeError && passing.includes(error.code);

/** Whether `error` is the API server's answer `code`. */
export const isKubeError = (error: unknown, code: KubeErrorCode): error is KubeError =>
  error instanceof KubeError && error.code === code;

/** Codes by which Node says that the other side's certificate is not what we trust (`tls`, OpenSSL's X509_V_ERR_* without their prefix). */
const untrusted: ReadonlySet<unknown> = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_REVOKED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'EPROTO',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** What an alert of TLS is about when the server would not have our certificate. */
const alerts = ['CERTIFICATE', 'UNKNOWN_CA', 'ACCESS_DENIED', 'DECRYPT_ERROR'];

/** Whether OpenSSL says by `code` that the server would not have our certificate, or that ours and its key do not belong together. */
const isRefusedByTls = (code: string): boolean =>
  code.startsWith('ERR_OSSL_') ||
  (code.startsWith('ERR_SSL_') && code.includes('ALERT_') && alerts.some((alert) => code.includes(alert)));

/** Whether the server does not know our credential, or we do not know its certificate: either may have been replaced since it was read. */
export const saysCredentialIsOld = (error: unknown): error is KubeError => {
  if (!(error instanceof KubeError)) return false;
  const { cause } = error;
  if (error.code === 'unauthorized') return true;
  if (!(cause instanceof Error && 'code' in cause)) return false;
  return untrusted.has(cause.code) || (typeof cause.code === 'string' && isRefusedByTls(cause.code));
};

/** Status of the API (meta/v1 Status), the part we read. */
interface ApiStatus {
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
  readonly name?: string | undefined;
  /** The token of a list that goes on in the state of now. */
  readonly continueFrom?: string | undefined;
  readonly retryAfterSeconds?: number | undefined;
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** What a Status says; nothing where it is none, or something else than text: a proxy's JSON may have the same members. */
const parseStatus = (body: string): ApiStatus => {
  try {
    const { reason, message, metadata, details } = (parseJsonCutBelow(body, 20) ?? {}) as Readonly<
      Record<string, unknown>
    >;
    const { name, retryAfterSeconds } = (details ?? {}) as Readonly<Record<string, unknown>>;
    const { continue: next } = (metadata ?? {}) as Readonly<Record<string, unknown>>;
    return {
      reason: textOf(reason),
      message: textOf(message),
      name: textOf(name),
      continueFrom: textOf(next),
      retryAfterSeconds: typeof retryAfterSeconds === 'number' ? retryAfterSeconds : undefined,
    };
  } catch {
    return {};
  }
};

const codeOf = (status: number, reason: string | undefined): KubeErrorCode => {
  if (status === 401) return 'unauthorized';
  if (status === 403) return 'forbidden';
  if (status === 404) return 'not-found';
  if (status === 409) return reason === 'AlreadyExists' ? 'already-exists' : 'conflict';
  if (status === 410) return 'expired';
  if (status === 429) return 'throttled';
  return 'server';
};

/**
 * The error for an answer that is not a success. 400 and 422 say that what we sent is invalid, and nothing heals by waiting; unless a policy says
 * so, which is `forbidden` whatever its status.
 */
export const answerError = (
  what: string,
  status: number,
  body: string,
  retryAfter: string | undefined,
): KubeError | PermanentError => {
  const parsed = parseStatus(body);
  const said = parsed.message ?? (body.slice(0, 300) || `HTTP ${status}`);
  if (status >= 400 && isDenial(said))
    return new KubeError('forbidden', `${what}: ${said}`, { status, objectName: parsed.name, pace: 'slow' });
  if (status === 400 || status === 422) return new PermanentError(parsed.reason ?? 'Invalid', said);
  const seconds = Number(retryAfter ?? parsed.retryAfterSeconds);
  return new KubeError(codeOf(status, parsed.reason), `${what}: ${said}`, {
    status,
    objectName: parsed.name,
    continueFrom: parsed.continueFrom || undefined,
    pace: status === 401 || status === 403 ? 'slow' : 'soon',
    retryAfterSeconds: Number.isFinite(seconds) && seconds > 0 ? seconds : undefined,
  });
};
