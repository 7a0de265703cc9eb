/**
 * From an answer that means no to an OciError with the registry's own words (distribution-spec "Error Codes"; texts as spec 04 §9.5). Only the
 * codes and messages of that form are shown: a tenant names the host, and what else a host says is not for him to read (DESIGN §3.27).
 */
import { STATUS_CODES } from 'node:http';
import { parseJson } from '../text/bounded-json.ts';
import { printable } from '../text/printable.ts';
import { OciError, type OciErrorCode, type RegistryMessage } from './errors.ts';
import { type HttpResponse, type Method, readUpTo } from './http.ts';
import { retryAfterSeconds } from './retry-after.ts';

/** Enough for any honest error list; a body above it is none. */
const bodyLimitBytes = 64 * 1024;
/** A registry's sentence is short. */
const messageCharacters = 256;
/** More entries than these say nothing new. */
const mostErrors = 4;

const codeOf = (status: number): OciErrorCode => {
  if (status === 401) return 'unauthorized';
  if (status === 403) return 'denied';
  if (status === 404) return 'not-found';
  if (status === 429) return 'throttled';
  return status >= 500 || status === 408 ? 'unavailable' : 'rejected';
};

const printMessage = ({ code, message, detail }: RegistryMessage): string =>
  [message === '' ? code : `${code}: ${message}`, ...(detail === '' ? [] : [detail])].join('; ');

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** What distribution-spec calls a code; anything else is text of somebody else's. */
const isCode = (text: string): boolean => /^[A-Z][A-Z0-9_]{0,63}$/.test(text);

const questions: ReadonlySet<string> = new Set(['Tag', 'Name', 'Digest']);

/** A detail such as `{"Tag": "v1"}` as kpack prints it, with Go's `%v`; only if it says nothing but what was asked. */
const printDetail = (detail: unknown, url: URL): string => {
  const pairs = isRecord(detail) ? Object.entries(detail) : [];
  const isAsked = ([key, value]: readonly [string, unknown]): boolean =>
    questions.has(key) && typeof value === 'string' && url.pathname.includes(value);
  if (pairs.length === 0 || !pairs.every(isAsked)) return '';
  const sorted = pairs.sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${sorted.map(([key, value]) => `${key}:${String(value)}`).join(' ')}]`;
};

/** The entries of a registry's error body; none when it is not one. */
const parseRegistryErrors = (body: string, url: URL): readonly RegistryMessage[] => {
  try {
    const parsed = parseJson(body, { mostCharacters: bodyLimitBytes, deepest: 20 });
    const errors = isRecord(parsed) && Array.isArray(parsed['errors']) ? parsed['errors'] : [];
    return errors
      .slice(0, mostErrors)
      .filter(isRecord)
      .map((entry) => ({
        code: isCode(textOf(entry['code'])) ? textOf(entry['code']) : 'UNKNOWN',
        message: printable(textOf(entry['message']), messageCharacters).trim(),
        detail: printDetail(entry['detail'], url),
      }));
  } catch {
    return [];
  }
};

const explain = (method: Method, status: number, errors: readonly RegistryMessage[]): string => {
  const [first] = errors;
  if (first !== undefined && errors.length === 1) return printMessage(first);
  if (first !== undefined) return `multiple errors returned: ${errors.map(printMessage).join('; ')}`;
  const words = `unexpected status code ${status} ${STATUS_CODES[status] ?? ''}`.trimEnd();
  return method === 'HEAD' ? `${words} (HEAD responses have no body, use GET for details)` : words;
};

/** Said beyond kpack's text to who was refused without a credential: the usual cause, which the registry cannot know. */
export const withoutCredential = (host: string, because: string): string =>
  ` (no credential is known for ${host}${because === '' ? '' : `: ${because}`})`;

/** The failure an answer stands for; reads its body, within a limit. */
export const responseError = async (method: Method, response: HttpResponse, nowMs: number): Promise<OciError> => {
  const { status, url } = response;
  const bytes = await readUpTo(response.body, bodyLimitBytes).catch(() => undefined);
  const errors = parseRegistryErrors(new TextDecoder().decode(bytes ?? new Uint8Array()), url);
  const { anonymous } = response;
  // A 403 may have many causes: a credential is spoken of only by who knows why there is none.
  const missing = anonymous !== undefined && (status === 401 || (status === 403 && anonymous !== ''));
  const hint = missing ? withoutCredential(url.host, anonymous) : '';
  return new OciError(codeOf(status), `${explain(method, status, errors)}${hint}`, {
    method,
    url,
    status,
    errors,
    retryAfterSeconds: retryAfterSeconds(response.headers.get('retry-after'), nowMs),
  });
};
