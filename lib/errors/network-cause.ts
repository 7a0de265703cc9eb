/**
 * What went wrong on the wire, told by its code. The platform's own sentences are not repeated: they quote header values, names in
 * certificates and bytes of answers, so a credential or whatever a host likes would end in a condition.
 */
import { ExpectedError, PermanentError } from './expected.ts';

/** Codes of Node, libuv, OpenSSL and undici that people can act on. Source: Node's and undici's lists of errors. */
const sentences: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was broken off',
  ECONNABORTED: 'the connection was broken off',
  EPIPE: 'the connection was broken off',
  UND_ERR_SOCKET: 'the connection was broken off',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the host name cannot be resolved for now',
  EAI_NODATA: 'the host name has no address',
  EHOSTUNREACH: 'no way to the host',
  ENETUNREACH: 'no way to the network',
  ETIMEDOUT: 'no answer in time',
  UND_ERR_CONNECT_TIMEOUT: 'no answer in time',
  UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
  UND_ERR_BODY_TIMEOUT: 'no answer in time',
  CERT_HAS_EXPIRED: 'certificate has expired',
  CERT_NOT_YET_VALID: 'certificate is not valid yet',
  CERT_REVOKED: 'certificate is revoked',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'self-signed certificate',
  SELF_SIGNED_CERT_IN_CHAIN: 'self-signed certificate in the chain',
  UNABLE_TO_GET_ISSUER_CERT: 'certificate of an unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certificate of an unknown authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate of an unknown authority',
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate is for another host',
  ERR_SSL_WRONG_VERSION_NUMBER: 'the host does not speak TLS',
  ERR_INVALID_CHAR: 'a header would hold a character that may not be sent',
  ERR_INVALID_HTTP_TOKEN: 'a header would have a name that may not be sent',
};

/** Prefixes for what has no sentence of its own. */
const families: readonly (readonly [prefix: string, sentence: string])[] = [
  ['HPE_', 'the answer is not HTTP'],
  ['CERT_', 'TLS failed'],
  ['ERR_SSL_', 'TLS failed'],
  ['ERR_TLS_', 'TLS failed'],
  ['UNABLE_TO_', 'TLS failed'],
  ['UND_ERR_', 'the request failed'],
];

/** Sentences without a code that are the same whoever is asked for what. */
const fixedSentences: ReadonlySet<string> = new Set(['bad port']);

/** How deep causes are looked into; more is a loop. */
const mostCauses = 8;

const sentenceFor = (code: string): string =>
  sentences[code] ?? families.find(([prefix]) => code.startsWith(prefix))?.[1] ?? 'the request failed';

/** A word that a program chose: no blanks, no punctuation, no place for a secret. */
const isWord = (value: unknown): value is string =>
  typeof value === 'string' && /^[A-Za-z][A-Za-z0-9_]{1,63}$/u.test(value);

/** An answer of AWS that means no, as its SDK throws it; the message may quote signed headers and names of roles. */
const serviceAnswer = (error: Error): string | undefined => {
  if (!('$metadata' in error) || !isWord(error.name)) return undefined;
  const { httpStatusCode: status } = (error.$metadata ?? {}) as { readonly httpStatusCode?: unknown };
  return typeof status === 'number' ? `${error.name} (HTTP ${status})` : error.name;
};

const told = (error: Error): string | undefined => {
  if ('code' in error && isWord(error.code)) return `${sentenceFor(error.code)} (${error.code})`;
  if (error.name === 'TimeoutError') return 'no answer in time';
  if (error.name === 'AbortError') return 'stopped before the answer';
  return fixedSentences.has(error.message) ? error.message : serviceAnswer(error);
};

/** Errors of our own say in their message what has to be said of their cause. */
const isOurs = (error: Error): boolean => error instanceof ExpectedError || error instanceof PermanentError;

/** Outermost first; of several tries at once the first. */
const chain = (error: unknown): readonly Error[] => {
  const found: Error[] = [];
  for (let at = error; at instanceof Error && found.length < mostCauses; ) {
    found.push(at);
    at = at instanceof AggregateError && at.errors.length > 0 ? at.errors[0] : at.cause;
  }
  return found;
};

/**
 * The sentence of an error of our own, else the innermost thing known of a transport error: `connection refused (ECONNREFUSED)`,
 * `certificate has expired (CERT_HAS_EXPIRED)`, `AccessDeniedException (HTTP 400)`. Of errors without a code nothing but their class is told.
 */
export const networkCause = (error: unknown): string => {
  const errors = chain(error);
  const ours = errors.find(isOurs);
  if (ours !== undefined) return ours.message;
  const said = errors.map(told).findLast((text) => text !== undefined);
  if (said !== undefined) return said;
  const name = errors.at(-1)?.name;
  return isWord(name) && name !== 'Error' ? `the request failed (${name})` : 'the request failed';
};
