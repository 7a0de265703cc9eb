/** Records of an extended header (POSIX.1-2017 pax "pax Header Block"): `LENGTH KEY=VALUE\n`. */

/** Key → value, both bytes (faults.ts). An empty value takes back what a global header says. */
export type PaxRecords = ReadonlyMap<string, string>;

/** What is looked at; there may be any number of others. */
const keys: ReadonlySet<string> = new Set([
  'path',
  'linkpath',
  'size',
  'SUN.holesdata',
  ...['major', 'minor', 'name', 'size', 'realsize', 'map', 'numblocks'].map((key) => `GNU.sparse.${key}`),
]);

/** Where records of sparse files that come in pairs are gathered, in the form that version 0.1 has for them. */
const sparseMap = 'GNU.sparse.map';

/** The records that count here; the last of a key does. Undefined when the text is none. */
export function parsePax(text: string): PaxRecords | undefined {
  const records = new Map<string, string>();
  const pairs: string[] = [];
  for (let at = 0; at < text.length; ) {
    // Some makers fill the block up, and count that.
    if (text[at] === '\0') break;
    const digits = /^\d{1,10}/.exec(text.slice(at, at + 11))?.[0] ?? '';
    const end = at + Number(digits);
    const body = at + digits.length + 1;
    const equals = text.indexOf('=', body);
    if (digits === '' || text[body - 1] !== ' ' || end > text.length || text[end - 1] !== '\n') return undefined;
    if (equals <= body || equals >= end) return undefined;
    const key = text.slice(body, equals);
    const value = text.slice(equals + 1, end - 1);
    if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') pairs.push(value);
    else if (keys.has(key)) records.set(key, value);
    at = end;
  }
  if (pairs.length > 0) records.set(sparseMap, pairs.join(','));
  return records;
}

/** A number as records write it; undefined for anything else. */
export function decimal(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
