/** The table of contents of a zip file, zip64 included (APPNOTE 6.3.10 §4.3.12–4.3.16, §4.5.3). */
import { fstatSync, readSync } from 'node:fs';
import { PermanentError } from '../../errors/expected.ts';

export interface ZipEntry {
  readonly name: string;
  /** Permission bits; undefined when the archive's maker knew none. */
  readonly mode: number | undefined;
  readonly method: number;
  readonly encrypted: boolean;
  readonly crc: number;
  readonly compressedSize: number;
  readonly size: number;
  /** Of the local header, from the start of the file. */
  readonly offset: number;
}

/** Largest table of contents we read, in bytes: about a million entries. */
const maxDirectoryBytes = 256 << 20;
const endSize = 22;
const maxComment = 0xffff;

const makers = { fat: 0, unix: 3, vfat: 14, darwin: 19 } as const;

/** @throws PermanentError when this is no zip file. */
export function readZipDirectory(fd: number): readonly ZipEntry[] {
  const { size: fileSize } = fstatSync(fd);
  const { offset, size } = locate(fd, fileSize);
  if (size > maxDirectoryBytes || offset + size > fileSize) throw broken('its table of contents does not fit in it');
  const directory = readAt(fd, offset, size);
  const entries: ZipEntry[] = [];
  for (let at = 0; at + 46 <= directory.length && directory.readUInt32LE(at) === 0x02014b50; ) {
    const nameEnd = at + 46 + directory.readUInt16LE(at + 28);
    const extraEnd = nameEnd + directory.readUInt16LE(at + 30);
    entries.push(entryAt(directory, at, nameEnd, extraEnd));
    at = extraEnd + directory.readUInt16LE(at + 32);
  }
  return entries;
}

function entryAt(directory: Buffer, at: number, nameEnd: number, extraEnd: number): ZipEntry {
  const maker = directory.readUInt16LE(at + 4) >> 8;
  const flags = directory.readUInt16LE(at + 8);
  const wide = zip64Fields(directory.subarray(nameEnd, extraEnd));
  const field = (offset: number): number => {
    const value = directory.readUInt32LE(at + offset);
    return value === 0xffffffff ? wide() : value;
  };
  // The order of these three is the order of the wide fields.
  const size = field(24);
  const compressedSize = field(20);
  return {
    name: directory.toString('utf8', at + 46, nameEnd),
    mode: modeOf(maker, directory.readUInt32LE(at + 38)),
    method: directory.readUInt16LE(at + 10),
    encrypted: (flags & 1) === 1,
    crc: directory.readUInt32LE(at + 16),
    compressedSize,
    size,
    offset: field(42),
  };
}

/** FAT knows no permissions, and kpack then grants all (spec 03 §10.5). */
function modeOf(maker: number, attributes: number): number | undefined {
  if (maker === makers.fat || maker === makers.vfat) return 0o777;
  const mode = (attributes >>> 16) & 0o777;
  return (maker === makers.unix || maker === makers.darwin) && mode !== 0 ? mode : undefined;
}

/** Reads the 8-byte values of the zip64 extra field one after the other. */
function zip64Fields(extra: Buffer): () => number {
  let at = 0;
  while (at + 4 <= extra.length && extra.readUInt16LE(at) !== 1) at += 4 + extra.readUInt16LE(at + 2);
  at += 4;
  return () => {
    if (at + 8 > extra.length) throw broken('a zip64 size is missing');
    const value = Number(extra.readBigUInt64LE(at));
    at += 8;
    return value;
  };
}

function locate(fd: number, fileSize: number): { readonly offset: number; readonly size: number } {
  const tailSize = Math.min(fileSize, endSize + maxComment);
  const tail = readAt(fd, fileSize - tailSize, tailSize);
  for (let at = tail.length - endSize; at >= 0; at -= 1) {
    if (tail.readUInt32LE(at) !== 0x06054b50) continue;
    const size = tail.readUInt32LE(at + 12);
    const offset = tail.readUInt32LE(at + 16);
    const isWide = offset === 0xffffffff || size === 0xffffffff || tail.readUInt16LE(at + 10) === 0xffff;
    return isWide ? locateWide(fd, fileSize - tailSize + at - 20) : { offset, size };
  }
  throw broken('it has no table of contents');
}

function locateWide(fd: number, at: number): { readonly offset: number; readonly size: number } {
  const locator = readAt(fd, Math.max(at, 0), 20);
  if (locator.length < 20 || locator.readUInt32LE(0) !== 0x07064b50) throw broken('its zip64 locator is missing');
  const end = readAt(fd, Number(locator.readBigUInt64LE(8)), 56);
  if (end.length < 56 || end.readUInt32LE(0) !== 0x06064b50) throw broken('its zip64 table of contents is missing');
  return { size: Number(end.readBigUInt64LE(40)), offset: Number(end.readBigUInt64LE(48)) };
}

function readAt(fd: number, position: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  const bytesRead = readSync(fd, buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}

function broken(why: string): PermanentError {
  return new PermanentError('BrokenArchive', `the source is not a readable zip archive: ${why}`);
}
