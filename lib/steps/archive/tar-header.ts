/** One header block of a tar archive in any of its dialects (POSIX.1-2017 pax "ustar Interchange Format"; GNU tar manual "Basic Tar Format"). */

/** Bytes of a block: headers and contents begin at multiples of it. */
export const blockBytes = 512;

export interface TarHeader {
  /** As far as it has room here: bytes (faults.ts). */
  readonly name: string;
  readonly linkName: string;
  /** The type flag, one character; `\0` in archives from before 1988. */
  readonly type: string;
  /** Undefined where the field holds no number. */
  readonly mode: number | undefined;
  /** Bytes behind the header, undefined where the field holds no number. */
  readonly size: number | undefined;
  readonly isGnu: boolean;
  /** Fields that only some types have are read from it. */
  readonly block: Buffer;
}

/** What the block says; undefined when its checksum shows that it is no header. */
export function parseHeader(block: Buffer): TarHeader | undefined {
  if (!hasChecksum(block)) return undefined;
  const isGnu = block.toString('latin1', 257, 265) === 'ustar  \0';
  const prefix = prefixOf(block, isGnu);
  const name = textAt(block, 0, 100);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    linkName: textAt(block, 157, 100),
    type: block.toString('latin1', 156, 157),
    mode: numberAt(block, 100, 8),
    size: numberAt(block, 124, 12),
    isGnu,
    block,
  };
}

/** Two blocks of zeros end an archive. */
export function isZero(block: Uint8Array): boolean {
  return block.every((byte) => byte === 0);
}

/** The text of a field, up to its first NUL. */
export function textAt(block: Buffer, at: number, length: number): string {
  const text = block.toString('latin1', at, at + length);
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}

/**
 * The number in a field: octal digits between blanks and NULs, nothing being 0, or base-256 where the first bit is set, which may be negative
 * (GNU tar manual "Extensions"). Undefined for anything else and for what a number cannot hold.
 */
export function numberAt(block: Buffer, at: number, length: number): number | undefined {
  const first = block[at] ?? 0;
  if ((first & 0x80) !== 0) return largeNumber(block.subarray(at, at + length));
  const text = block.toString('latin1', at, at + length);
  const [, digits] = /^[ \0]*([0-7]*)(?:[ \0]|$)/.exec(text) ?? [];
  return digits === undefined ? undefined : Number.parseInt(digits || '0', 8);
}

function largeNumber(field: Buffer): number | undefined {
  const bits = field.length * 8 - 1;
  const value = BigInt.asIntN(bits, BigInt(`0x${field.toString('hex')}`));
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : undefined;
}

const checksumAt = 148;
const checksumLength = 8;

/** The sum of the bytes with the sum itself read as blanks; makers of old took bytes for signed numbers. */
function hasChecksum(block: Buffer): boolean {
  if (block.length !== blockBytes) return false;
  const declared = numberAt(block, checksumAt, checksumLength);
  let unsigned = 0x20 * checksumLength;
  let large = 0;
  // By index: an iterator over every byte of a hundred thousand headers takes longer than everything else.
  for (let at = 0; at < blockBytes; at += 1) {
    if (at === checksumAt) at += checksumLength;
    const byte = block[at] ?? 0;
    unsigned += byte;
    if (byte >= 0x80) large += 1;
  }
  return declared === unsigned || declared === unsigned - 0x100 * large;
}

/**
 * The front part of a long name. GNU tar has times in its place; Go before 1.8 wrote a name there all the same, which is known by times that are
 * no numbers. That of star is shorter, with times behind it. Archives from before POSIX have nothing there, or rubbish.
 */
function prefixOf(block: Buffer, isGnu: boolean): string {
  const prefix = 345;
  if (isGnu) {
    const isTime = [prefix, prefix + 12].every((at) => block[at] === 0 || numberAt(block, at, 12) !== undefined);
    return isTime ? '' : asciiOnly(textAt(block, prefix, 155));
  }
  if (block.toString('latin1', 257, 263) !== 'ustar\0') return '';
  const isStar = block.toString('latin1', 508, 512) === 'tar\0';
  return textAt(block, prefix, isStar ? 131 : 155);
}

const asciiOnly = (text: string): string => (/^[\x20-\x7e]*$/.test(text) ? text : '');
