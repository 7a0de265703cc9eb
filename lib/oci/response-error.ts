/** From an answer that means no to an OciError with the registry's own words (distribution-spec "Error Codes"; texts as spec 04 §9.5). */
import { STATUS_CODES } from 'node:http';
import { parseJson } from '../text/bounded-json.ts';
import { OciError, type OciErrorCode, type RegistryMessage } from './errors.ts';
import { type HttpResponse, type Method, readUpTo } from './http.ts';
import { retryAfterSeconds } from './retry-after.ts';

/** Enough for any honest error list; a body above it is not shown at all. */
const bodyLimitBytes = 64 * 1024;
/** A condition's message is read by people. */
const shownCharacters = 1024;

const codeOf = (status: number): OciErrorCode => {
  if (status === 401) return 'unauthorized';
  if (status === 403) return 'denied';
  if (status === 404) return 'not-found';
  if (status === 429) return 'throttled';
  return status >= 500 || status === 408 ? 'unavailable' : 'rejected';
};

/** Values as the Go template `%v` shows them, for kpack prints details so: `map[Tag:x]`. They are as deep as the body may be. */
const printDetail = (value: unknown): string => {
  if (value === null) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(printDetail).join(' ')}]`;
  if (typeof value === 'string') return value;
  if (!isRecord(value)) return JSON.stringify(value) ?? '<nil>';
  const pairs = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${pairs.map(([key, item]) => `${key}:${printDetail(item)}`).join(' ')}]`;
};

const printMessage = ({ code, message, detail }: RegistryMessage): string => {
  const words = message === '' ? code : `${code}: ${message}`;
  return detail === undefined || detail === null ? words : `${words}; ${printDetail(detail)}`;
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** The entries of a registry's error body; none when it is not one. */
const parseRegistryErrors = (body: string): readonly RegistryMessage[] => {
  try {
    const parsed = parseJson(body, { mostCharacters: bodyLimitBytes, deepest: 20 });
    const errors = isRecord(parsed) && Array.isArray(parsed['errors']) ? parsed['errors'] : [];
    return errors.filter(isRecord).map((entry) => ({
      code: textOf(entry['code']) || 'UNKNOWN',
      message: textOf(entry['message']),
      detail: entry['detail'],
    }));
  } catch {
    return [];
  }
};

/** One line, no control characters, of bounded length. */
const clean = (text: string): string => {
  const line = text.replaceAll(/\p{Cc}+/gu, ' ').trim();
  return line.length > shownCharacters ? `${line.slice(0, shownCharacters)}…` : line;
};

const explain = (method: Method, status: number, errors: readonly RegistryMessage[], body: string): string => {
  const [first] = errors;
  if (first !== undefined && errors.length === 1) return printMessage(first);
  if (first !== undefined) return `multiple errors returned: ${errors.map(printMessage).join('; ')}`;
  const words = `unexpected status code ${status} ${STATUS_CODES[status] ?? ''}`.trimEnd();
  if (method === 'HEAD') return `${words} (HEAD responses have no body, use GET for details)`;
  return body === '' ? words : `${words}: ${body}`;
};

/** The failure an answer stands for; reads its body, within a limit. */
export const responseError = async (method: Method, response: HttpResponse, nowMs: number): Promise<OciError> => {
  const { status, url } = response;
  const bytes = await readUpTo(response.body, bodyLimitBytes).catch(() => undefined);
  const body = new TextDecoder().decode(bytes ?? new Uint8Array());
  const errors = parseRegistryErrors(body);
  // Beyond kpack's text: the usual cause, which the registry cannot know.
  const because = response.anonymous ? `: ${response.anonymous}` : '';
  const hint =
    status === 401 && response.anonymous !== undefined ? ` (no credential is known for ${url.host}${because})` : '';
  return new OciError(codeOf(status), `${clean(explain(method, status, errors, body))}${hint}`, {
    method,
    url,
    status,
    errors,
    retryAfterSeconds: retryAfterSeconds(response.headers.get('retry-after'), nowMs),
  });
};
