/** What a failed request to a git host means: one sentence and one code for each way an HTTP answer or a connection can fail. */
import type { FetchAnswer } from '../egress/fetch.ts';
import { EgressRefused } from '../egress/guard.ts';
import { GitError, type GitErrorCode, type Heard } from './errors.ts';
import { type Asked, type Hop, howToGive, subjectOf } from './hop.ts';
import { type HostWords, meaningOf } from './host-words.ts';

/** Longest wait a host may ask of us, in seconds; a day of silence would be a resync anyway. */
const MAX_RETRY_AFTER_SECONDS = 3600;

const bounded = (seconds: number): number | undefined =>
  Number.isNaN(seconds) ? undefined : Math.min(Math.max(seconds, 0), MAX_RETRY_AFTER_SECONDS);

/** `Retry-After` as seconds from `now`: a number or an HTTP date, never negative, at most an hour. */
export const retryAfterSecondsFrom = (header: string | null, now: Date): number | undefined => {
  if (header === null) return undefined;
  const text = header.trim();
  if (/^\d{1,9}(?:\.\d{1,9})?$/u.test(text)) return bounded(Math.ceil(Number(text)));
  // A date begins with its day; of whatever else, a reader of dates makes one too.
  return /^[A-Za-z]/u.test(text) ? bounded(Math.ceil((Date.parse(text) - now.getTime()) / 1000)) : undefined;
};

/** The same from the headers in which GitHub and others tell that nothing is left, and until when (`X-RateLimit-Reset`, Unix seconds). */
const secondsToReset = (headers: FetchAnswer['headers'], now: Date): number | undefined => {
  if (headers.get('x-ratelimit-remaining')?.trim() !== '0') return undefined;
  const reset = headers.get('x-ratelimit-reset')?.trim() ?? '';
  return bounded(/^\d{1,12}$/u.test(reset) ? Number(reset) - Math.floor(now.getTime() / 1000) : 0);
};

const asWhom = ({ login }: Hop): string => {
  if (login === undefined) return 'without credentials';
  return login.secretName === undefined
    ? 'with the credentials in the URL'
    : `with the credentials of Secret ${login.secretName}`;
};

/** Ways to log in that people have beside Basic; undefined where that is among those asked for, or nothing known is. */
const otherScheme = (challenges: string | null): string | undefined => {
  const offered = (challenges ?? '').split(/[\s,]+/u).map((word) => word.toLowerCase());
  if (offered.includes('basic')) return undefined;
  return ['Negotiate', 'Kerberos', 'NTLM', 'Digest'].find((scheme) => offered.includes(scheme.toLowerCase()));
};

/** What a sentence about an answer is made of. */
interface Told {
  readonly status: number;
  /** What the host's words add. */
  readonly because: string | undefined;
  /** See `otherScheme`. */
  readonly other: string | undefined;
}

const sentence = (code: GitErrorCode, asked: Asked, hop: Hop, { status, because, other }: Told): string => {
  const subject = subjectOf(asked, hop);
  const as = asWhom(hop);
  const told = `(HTTP ${status})${because === undefined ? '' : `, as ${because}`}`;
  switch (code) {
    case 'unauthorized':
      if (other !== undefined)
        return `${subject} asks for a login by ${other} alone ${told}, which is not spoken here; let it take Basic, with a token for git`;
      return hop.login === undefined
        ? `${subject} asks for credentials ${told}; ${howToGive(hop.base)}`
        : `${subject} refused to be read ${as} ${told}; correct username and password in it`;
    case 'forbidden':
      return `${subject} may not be read ${as} ${told}; grant read access to the repository`;
    case 'not-found':
      return `${subject} does not exist or may not be seen ${as} ${told}; check the URL and the credentials`;
    case 'throttled':
      return `${hop.base.host} asks to be left alone for a while ${told}; it is asked again later`;
    case 'host-unreachable':
      return `${hop.base.host} is failing ${told}; it is asked again`;
    default:
      return because === undefined
        ? `${subject} answered HTTP ${status}, which is not an answer of a git host; check the URL`
        : `${subject} cannot be read ${told}; correct the URL`;
  }
};

/** A status says who has to act; words say more only where a status means several things. */
const codeOf = (status: number, asksToWait: boolean, words: HostWords | undefined, isPage: boolean): GitErrorCode => {
  const means = words?.means === 'commit-gone' ? undefined : words?.means;
  if (status === 429 || (asksToWait && (status === 403 || status === 503))) return 'throttled';
  if (status === 401) return 'unauthorized';
  // Firewalls write pages that have words of every kind.
  if (status === 403) return means === 'throttled' || (means === 'host-unreachable' && !isPage) ? means : 'forbidden';
  if (status === 402 || status === 451) return 'forbidden';
  if (status === 404 || status === 410) return 'not-found';
  if (status >= 500 || status === 408 || status === 425) return 'host-unreachable';
  return means ?? 'protocol';
};

/** The GitError for an answer that is neither success nor redirect. `words`: what it says, or the beginning of it. */
export const httpFailure = (asked: Asked, hop: Hop, response: FetchAnswer, words: string): GitError => {
  const { status, headers } = response;
  const host = asked.url.authority;
  if (status === 407)
    return new GitError(
      'host-unreachable',
      `the proxy on the way to ${host} asks for a login (HTTP 407); correct the proxy's URL`,
      {
        host,
        heard: 'something',
      },
    );
  const now = new Date();
  const retryAfterSeconds = retryAfterSecondsFrom(headers.get('retry-after'), now) ?? secondsToReset(headers, now);
  const row = meaningOf(words);
  const isPage = /html/iu.test(headers.get('content-type') ?? '');
  const code = codeOf(status, retryAfterSeconds !== undefined, row, isPage);
  const other = status === 401 ? otherScheme(headers.get('www-authenticate')) : undefined;
  return new GitError(code, sentence(code, asked, hop, { status, because: row?.because, other }), {
    host,
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

/** What is known of a connection that failed. */
export interface Connection {
  /** Host and port that were dialled, when a redirect led there; the URL's own unless given. */
  readonly to?: string;
  /** Had the URL's host begun to answer, be it by a redirect? */
  readonly isAlive?: boolean;
  /** Did it fail within an answer? */
  readonly isInAnswer?: boolean;
}

/** The GitError for a connection that failed; an error that already says what it is passes through. */
export const networkFailure = (
  { url: { authority } }: Pick<Asked, 'url'>,
  error: unknown,
  { to, isAlive = false, isInAnswer = false }: Connection = {},
): Error => {
  if (error instanceof GitError) return error;
  const causes = causesOf(error);
  const heard = isAlive || isInAnswer ? 'something' : 'nothing';
  const failure = (code: GitErrorCode, message: string, how: Heard = heard): GitError =>
    new GitError(code, message, { host: authority, heard: how, cause: error });
  const refused = causes.find((cause) => cause instanceof EgressRefused);
  if (refused !== undefined) return failure('not-asked', refused.message, 'undialled');
  const host = to === undefined ? authority : `${to}, to which ${authority} redirects,`;
  if (causes.some(isTimeout)) return failure('timeout', `${host} did not answer in time; it is asked again`);
  const code = causes.map(systemCode).find((text) => text !== '') ?? 'connection failed';
  if (causes.some(({ message }) => message.includes('wrong version number')))
    return failure('tls', `${host} does not speak TLS on this port; write http:// or correct the port`, 'something');
  if (TLS_CODE.test(code))
    return failure('tls', `TLS with ${host} failed (${code}); check the host's certificate and the trusted CAs`);
  return isInAnswer
    ? failure('host-unreachable', `${host} broke off the connection within an answer (${code}); it is asked again`)
    : failure('host-unreachable', `${host} cannot be reached (${code}); check the host name and the network`);
};
