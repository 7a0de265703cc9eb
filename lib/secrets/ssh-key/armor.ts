/** Blocks between `-----BEGIN …-----` and `-----END …-----`, as people really have them: lines folded or with blanks, texts around them. */
import { damaged, KeyFault } from './wire.ts';

/** One block. */
export interface Armored {
  readonly label: string;
  /** Does it say of itself that it is encrypted, as older files do in a header (RFC 1421 §4.6.1.1)? */
  readonly isEncrypted: boolean;
  readonly bytes: Buffer;
}

const begin = '-----BEGIN ';
const dashes = '-----';
const longestLabel = 60;
const base64 = /^[A-Za-z0-9+/]*={0,2}$/u;

/** The content alone: headers end with an empty line, blanks mean nothing. */
const contentOf = (body: string): Buffer => {
  const lines = body.split(/\r\n|\r|\n/u);
  const text = lines
    .filter((line) => !line.includes(':'))
    .join('')
    .replaceAll(/\s/gu, '');
  if (text === '' || !base64.test(text)) throw damaged();
  return Buffer.from(text, 'base64');
};

interface Opening {
  readonly label: string;
  /** Where its content begins. */
  readonly from: number;
}

const openingsIn = (text: string): readonly Opening[] => {
  const found: Opening[] = [];
  for (let at = text.indexOf(begin); at >= 0; at = text.indexOf(begin, at + 1)) {
    const start = at + begin.length;
    const end = text.indexOf(dashes, start);
    if (end < 0) break;
    if (end - start <= longestLabel) found.push({ label: text.slice(start, end).trim(), from: end + dashes.length });
  }
  return found;
};

/** Labels of all blocks that begin in the text. */
export const labelsIn = (text: string): readonly string[] => openingsIn(text).map(({ label }) => label);

/** The first block that holds a private key; undefined when there is none. @throws KeyFault when it is not whole */
export const privateBlock = (text: string): Armored | undefined => {
  const opening = openingsIn(text).find(({ label }) => label.endsWith('PRIVATE KEY'));
  if (opening === undefined) return undefined;
  const { label, from } = opening;
  const end = text.indexOf(`${dashes}END ${label}${dashes}`, from);
  if (end < 0) throw new KeyFault(`is cut off: its last line, -----END ${label}-----, is missing`);
  const body = text.slice(from, end);
  if (label.startsWith('ENCRYPTED') || /Proc-Type:\s*4,\s*ENCRYPTED/u.test(body))
    return { label, isEncrypted: true, bytes: Buffer.alloc(0) };
  return { label, isEncrypted: false, bytes: contentOf(body) };
};
