/**
 * JSON as Go's encoding/json prints it: no whitespace, HTML characters escaped, order of keys as given. A builder's digest hangs on
 * it (spec 04 §8.7). Maps are used where keys come from users, since objects would sort keys such as `10` as numbers.
 */
import { bytewise } from './bytewise.ts';

/** What can be printed; members that are undefined are left out. */
export type GoJson =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly GoJson[]
  | ReadonlyMap<string, GoJson>
  | { readonly [key: string]: GoJson };

const htmlEscapes: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};

/** A string literal. A lone surrogate becomes U+FFFD, as Go has none. */
export const goString = (text: string): string =>
  JSON.stringify(text.toWellFormed()).replace(/[<>&\u2028\u2029]/g, (char) => htmlEscapes[char] ?? char);

const isMap = (value: object): value is ReadonlyMap<string, GoJson> => value instanceof Map;

/** The document. Numbers must be whole. */
export const goJson = (value: GoJson): string => {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string') return goString(value);
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `[${value.map((item: GoJson) => goJson(item)).join(',')}]`;
  const entries = isMap(value) ? [...value] : Object.entries(value);
  const members = entries.filter(([, member]) => member !== undefined);
  return `{${members.map(([key, member]) => `${goString(key)}:${goJson(member)}`).join(',')}}`;
};

/** A map with its keys sorted bytewise, as Go prints maps. */
export const sortedMap = <T>(entries: Iterable<readonly [string, T]>): ReadonlyMap<string, T> =>
  new Map([...entries].sort(([a], [b]) => bytewise(a, b)));
