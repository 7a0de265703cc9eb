/** One PEM block (RFC 7468), read in a single pass: keys come from tenants, and a pattern over them would backtrack for seconds. */

/** What stands between the lines that begin and end a block. */
export interface PemBlock {
  /** `PRIVATE KEY`, for example. */
  readonly label: string;
  /** `Name: value` lines before the content, as older encrypted keys have them. */
  readonly hasHeaders: boolean;
  readonly bytes: Buffer;
}

const begin = '-----BEGIN ';
const dashes = '-----';
const content = /^[A-Za-z0-9+/]*={0,2}$/;

const bytesOf = (lines: readonly string[]): Buffer | undefined => {
  const text = lines.map((line) => line.trim()).join('');
  return content.test(text) ? Buffer.from(text, 'base64') : undefined;
};

/** The first block of a text of at most `mostCharacters`; undefined when there is none, or its content is not base64. */
export const readPem = (text: string, mostCharacters: number): PemBlock | undefined => {
  if (text.length > mostCharacters) return undefined;
  const start = text.indexOf(begin);
  const labelEnd = start < 0 ? -1 : text.indexOf(dashes, start + begin.length);
  if (labelEnd < 0) return undefined;
  const label = text.slice(start + begin.length, labelEnd);
  const end = text.indexOf(`${dashes}END ${label}${dashes}`, labelEnd);
  if (end < 0 || label.includes('\n')) return undefined;
  const lines = text.slice(labelEnd + dashes.length, end).split('\n');
  const hasHeaders = lines.some((line) => line.includes(':'));
  const bytes = hasHeaders ? Buffer.alloc(0) : bytesOf(lines);
  return bytes === undefined ? undefined : { label, hasHeaders, bytes };
};
