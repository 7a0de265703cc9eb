/** What a failed request to a git host means: one sentence and one code for each way an HTTP answer or a connection can fail. */
import type { FetchAnswer } from '../egress/fetch.ts';
import { EgressRefused } from '../egress/guard.ts';
import type { BasicCredential } from './credentials.ts';
import { GitError, type GitErrorCode } from './errors.ts';
import type { GitUrl } from './url.ts';

interface Asked {
  readonly url: GitUrl;
  readonly credential?: BasicCredential | undefined;
}

/** Longest wait a host may ask of us, in seconds; a day of silence would be a resync anyway. */
const MAX_RETRY_AFTER_SECONDS = 3600;

/** `Retry-After` as seconds from `now`: a number or an HTTP date, never negative, at most an hour. */
export const retryAfterSecondsFrom = (header: string | null, now: Date): number | undefined => {
  if (header === null) return undefined;
  const text = header.trim();
  const seconds = /^\d{1,9}$/u.test(text) ? Number(text) : Math.ceil((Date.parse(text) - now.getTime()) / 1000);
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(seconds, 0), MAX_RETRY_AFTER_SECONDS);
};

const login = ({ credential, url }: Asked, sent: boolean): string => {
  if (!sent) return 'without credentials';
  if (credential !== undefined) return `with the credentials of Secret ${credential.secretName}`;
  return url.embedded === undefined ? 'without credentials' : 'with the credentials in the URL';
};

const sentence = (code: GitErrorCode, asked: Asked, status: number, sent: boolean): string => {
  const { display, authority } = asked.url;
  const as = login(asked, sent);
  switch (code) {
    case 'unauthorized':
      return sent
        ? `${display} refused to be read ${as} (HTTP 401); correct username and password in it`
        : `${display} asks for credentials (HTTP 401); give the ServiceAccount a kubernetes.io/basic-auth Secret annotated kpack.io/git: ${asked.url.scheme}://${authority}`;
    case 'forbidden':
      return `${display} may not be read ${as} (HTTP 403); grant read access to the repository`;
    case 'not-found':
      return `${display} does not exist or may not be seen ${as} (HTTP ${status}); check the URL and the credentials`;
    case 'throttled':
      return `${authority} asks to be left alone for a while (HTTP ${status}); it is asked again later`;
    case 'host-unreachable':
      return `${authority} is failing (HTTP ${status}); it is asked again`;
    default:
      return `${display} answered HTTP ${status}, which is not an answer of a git host; check the URL`;
  }
};

const codeOf = (status: number, asksToWait: boolean): GitErrorCode => {
  if (status === 429 || (asksToWait && (status === 403 || status === 503))) return 'throttled';
  if (status === 401) return 'unauthorized';
  if (status === 403) return 'forbidden';
  if (status === 404 || status === 410) return 'not-found';
  return status >= 500 || status === 408 ? 'host-unreachable' : 'protocol';
};

/** The GitError for an answer that is neither success nor redirect. `sent`: were credentials in the request? */
export const httpFailure = (asked: Asked, response: FetchAnswer, sent: boolean): GitError => {
  const retryAfterSeconds = retryAfterSecondsFrom(response.headers.get('retry-after'), new Date());
  const code = codeOf(response.status, retryAfterSeconds !== undefined);
  return new GitError(code, sentence(code, asked, response.status, sent), {
    host: asked.url.authority,
    // Whatever the status: one path of a host may fail, or ask for patience, while all others are well.
    heard: 'something',
    retryAfterSeconds,
  });
};

/** OpenSSL and Node name certificate trouble in many ways; all of them mean the same to a user. */
const TLS_CODE = /^(?:ERR_TLS|ERR_SSL|CERT_|EPROTO$|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_MISMATCH)/u;

const causesOf = (error: unknown): readonly Error[] => {
  const found: Error[] = [];
  for (let at = error; at instanceof Error && found.length < 5; at = at.cause) found.push(at);
  return found;
};

const systemCode = (error: Error): string =>
  'code' in error && typeof error.code === 'string' ? error.code.slice(0, 60) : '';

const isTimeout = (error: Error): boolean =>
  error.name === 'TimeoutError' || error.name === 'AbortError' || /_TIMEOUT$|^ETIMEDOUT$/u.test(systemCode(error));

/** The GitError for a connection that failed; an error that already says what it is passes through. `isAlive`: had the host begun to answer? */
export const networkFailure = ({ url }: Asked, error: unknown, isAlive = false): Error => {
  if (error instanceof GitError) return error;
  const causes = causesOf(error);
  const options = { host: url.authority, heard: isAlive ? ('something' as const) : ('nothing' as const), cause: error };
  const refused = causes.find((cause) => cause instanceof EgressRefused);
  if (refused !== undefined) return new GitError('not-asked', refused.message, { ...options, heard: 'undialled' });
  if (causes.some(isTimeout)) {
    return new GitError('timeout', `${url.authority} did not answer in time; it is asked again`, options);
  }
  const code = causes.map(systemCode).find((text) => text !== '') ?? 'connection failed';
  return TLS_CODE.test(code)
    ? new GitError(
        'tls',
        `TLS with ${url.authority} failed (${code}); check the host's certificate and the trusted CAs`,
        options,
      )
    : new GitError(
        'host-unreachable',
        `${url.authority} cannot be reached (${code}); check the host name and the network`,
        options,
      );
};
