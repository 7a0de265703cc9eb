/** The table of contents of a zip file, zip64 included (APPNOTE 6.3.10 §4.3.12, §4.5.3). */
import { fstatSync } from 'node:fs';
import { brokenZip, shownName } from './faults.ts';
import { findZipDirectory, readAt } from './zip-end.ts';
import { extraField, isWindows, zipName } from './zip-name.ts';

export interface ZipEntry {
  /** Bytes (faults.ts), with `/` between folders and at the end of one. */
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

const makers = { fat: 0, unix: 3, vfat: 14, darwin: 19 } as const;
const flag = { encrypted: 1, strongEncryption: 1 << 6, maskedHeaders: 1 << 13 } as const;

/** @throws PermanentError when this is no zip file, or one that misses entries that it says it has. */
export function readZipDirectory(fd: number): readonly ZipEntry[] {
  const { offset, size, entries: count, before } = findZipDirectory(fd);
  if (size > maxDirectoryBytes || offset + size > fstatSync(fd).size)
    throw brokenZip('its table of contents does not fit in it');
  const directory = readAt(fd, offset, size);
  const entries: ZipEntry[] = [];
  for (let at = 0; at + 46 <= directory.length && directory.readUInt32LE(at) === 0x02014b50; ) {
    const nameEnd = at + 46 + directory.readUInt16LE(at + 28);
    const extraEnd = nameEnd + directory.readUInt16LE(at + 30);
    if (extraEnd > directory.length) break;
    entries.push(entryAt(directory, { at, nameEnd, extraEnd }, before));
    at = extraEnd + directory.readUInt16LE(at + 32);
  }
  // Some makers count on beyond what the field can hold.
  if (entries.length % 0x10000 !== count % 0x10000) {
    throw brokenZip(`its table of contents says ${count} entries and has ${entries.length}`);
  }
  return entries;
}

interface Place {
  readonly at: number;
  readonly nameEnd: number;
  readonly extraEnd: number;
}

function entryAt(directory: Buffer, { at, nameEnd, extraEnd }: Place, before: number): ZipEntry {
  const maker = directory.readUInt16LE(at + 4) >> 8;
  const flags = directory.readUInt16LE(at + 8);
  const extra = directory.subarray(nameEnd, extraEnd);
  const bytes = directory.subarray(at + 46, nameEnd);
  const attributes = directory.readUInt32LE(at + 38);
  const wide = zip64Fields(extra, bytes);
  const field = (offset: number): number => {
    const value = directory.readUInt32LE(at + offset);
    return value === 0xffffffff ? wide() : value;
  };
  // The order of these three is the order of the wide fields.
  const size = field(24);
  const compressedSize = field(20);
  const offset = field(42) + before;
  const name = zipName({ bytes, flags, maker, extra, isEmpty: size === 0 });
  return {
    name: isFolder(maker, attributes) && !name.endsWith('/') ? `${name}/` : name,
    mode: modeOf(maker, attributes),
    method: directory.readUInt16LE(at + 10),
    encrypted: (flags & (flag.encrypted | flag.strongEncryption | flag.maskedHeaders)) !== 0,
    crc: directory.readUInt32LE(at + 16),
    compressedSize,
    size,
    offset,
  };
}

/** Does the maker's system say so? Not every maker writes a `/` behind the names of folders. */
function isFolder(maker: number, attributes: number): boolean {
  if (maker === makers.unix || maker === makers.darwin) return ((attributes >>> 16) & 0o170000) === 0o040000;
  return isWindows(maker) && (attributes & 0x10) !== 0;
}

/** FAT knows no permissions, and kpack then grants all (spec 03 §10.5). */
function modeOf(maker: number, attributes: number): number | undefined {
  if (maker === makers.fat || maker === makers.vfat) return 0o777;
  const mode = (attributes >>> 16) & 0o777;
  return (maker === makers.unix || maker === makers.darwin) && mode !== 0 ? mode : undefined;
}

/** Reads the 8-byte values of the zip64 extra field one after the other. */
function zip64Fields(extra: Buffer, name: Buffer): () => number {
  const values = extraField(extra, 1) ?? Buffer.alloc(0);
  let at = 0;
  return () => {
    const value = at + 8 > values.length ? undefined : Number(values.readBigUInt64LE(at));
    if (value === undefined || !Number.isSafeInteger(value)) {
      throw brokenZip(`a zip64 size of ${shownName(name.toString('latin1'))} is missing`);
    }
    at += 8;
    return value;
  };
}
