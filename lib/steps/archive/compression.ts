/** What a file is compressed by, told by its first bytes; names, media types and headers are not believed. */

/** How many first bytes are looked at. */
export const magicBytes = 8;

/** Of these the first two are read. */
export type Compression = 'gzip' | 'zstd' | 'xz' | 'bzip2' | 'lz4' | 'lzip' | 'compress' | '7z' | 'rar';

/** Name → how its files begin in hexadecimal, as the formats' own descriptions have it. gzip knows one method, 8 (RFC 1952 §2.3.1). */
const magics: readonly (readonly [name: Compression, pattern: RegExp])[] = [
  ['gzip', /^1f8b08/],
  // A frame, or one to skip (RFC 8878 §3.1).
  ['zstd', /^(?:28b52ffd|5[0-9a-f]2a4d18)/],
  ['xz', /^fd377a585a00/],
  // `BZh` and the size of its blocks.
  ['bzip2', /^425a683[1-9]/],
  ['lz4', /^04224d18/],
  // `LZIP`.
  ['lzip', /^4c5a4950/],
  ['compress', /^1f9d/],
  ['7z', /^377abcaf271c/],
  // `Rar!`.
  ['rar', /^526172211a07/],
];

/** The compression that begins like this; undefined for none that is known. */
export function compressionOf(start: Uint8Array): Compression | undefined {
  const hex = Buffer.from(start.subarray(0, magicBytes)).toString('hex');
  return magics.find(([, pattern]) => pattern.test(hex))?.[0];
}
