/** The name of a zip entry: bytes, of which only some archives say what they mean (APPNOTE 6.3.10 §4.4.4 bit 11, §4.6.9, appendix D). */
import { isAscii, isUtf8 } from 'node:buffer';
import { crc32 } from 'node:zlib';

/** What the table of contents has of an entry's name. */
export interface RawZipName {
  readonly bytes: Buffer;
  readonly flags: number;
  /** The system it was made on. */
  readonly maker: number;
  readonly extra: Buffer;
  /** It has no content. */
  readonly isEmpty: boolean;
}

const utf8Flag = 1 << 11;
const unicodePath = 0x7075;

/** Those of Windows, MS-DOS and OS/2, whose names can hold no `\`. Some makers write 11 for 10. */
const windowsMakers: ReadonlySet<number> = new Set([0, 6, 10, 11, 14]);

/** Was the archive made on such a system? */
export const isWindows = (maker: number): boolean => windowsMakers.has(maker);

/**
 * The name as bytes of a path. Without a flag or a field that says that it is UTF-8 nobody knows what the bytes mean (CP437 by the book, whatever the
 * maker's system had in practice): they stay as they are, as in kpack, so that different names are different files.
 */
export function zipName(raw: RawZipName): string {
  const unicode = (raw.flags & utf8Flag) === 0 ? unicodeName(raw) : raw.bytes;
  const name = (unicode ?? raw.bytes).toString('latin1');
  if (!isWindows(raw.maker)) return name;
  // In encodings of East Asia a `\` may be half of a character, but not where `/` is used beside it, nor at the end of a file's name.
  const isSeparator = unicode !== undefined || isAscii(raw.bytes) || !name.includes('/');
  if (isSeparator) return name.replaceAll('\\', '/');
  return raw.isEmpty ? name.replace(/\\$/, '/') : name;
}

/** The field counts only for the very name that it was made of: other programs rename entries and leave it. */
function unicodeName({ bytes, extra }: RawZipName): Buffer | undefined {
  const field = extraField(extra, unicodePath);
  if (field === undefined || field.length < 6 || field[0] !== 1 || field.readUInt32LE(1) !== crc32(bytes))
    return undefined;
  const name = field.subarray(5);
  return isUtf8(name) ? name : undefined;
}

/** Content of the first extra field with this id (APPNOTE §4.5). */
export function extraField(extra: Buffer, id: number): Buffer | undefined {
  for (let at = 0; at + 4 <= extra.length; ) {
    const end = at + 4 + extra.readUInt16LE(at + 2);
    if (extra.readUInt16LE(at) === id && end <= extra.length) return extra.subarray(at + 4, end);
    at = end;
  }
  return undefined;
}
