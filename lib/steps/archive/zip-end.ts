/** Where the table of contents of a zip file is: told by a record at its end, zip64 included (APPNOTE 6.3.10 §4.3.14–4.3.16). */
import { fstatSync, readSync } from 'node:fs';
import { brokenZip } from './faults.ts';

export interface ZipDirectory {
  /** From the start of the file. */
  readonly offset: number;
  /** Up to the record that tells of it: sizes are written wrongly more often than counts. */
  readonly size: number;
  /** How many entries it says it has; above 65,535 perhaps only the rest of a division by 65,536. */
  readonly entries: number;
  /** Bytes before the archive, which its own offsets do not count. */
  readonly before: number;
}

const endSize = 22;
/** How far from its end the record is looked for: the longest comment, and as much of what others have put behind. */
const tailBytes = 2 * 0xffff + endSize;

const signature = { end: 0x06054b50, wideLocator: 0x07064b50, wideEnd: 0x06064b50, entry: 0x02014b50 } as const;

/** @throws PermanentError when there is none, or it is part of an archive that is split */
export function findZipDirectory(fd: number): ZipDirectory {
  for (const directory of candidates(fd)) return directory;
  throw brokenZip('it has no table of contents');
}

/** Could this be a zip file? Asked of what does not begin as one. */
export function hasZipDirectory(fd: number): boolean {
  for (const _ of candidates(fd)) return true;
  return false;
}

/** The last record that has a table where it says: a comment may hold what looks like one. */
function* candidates(fd: number): Generator<ZipDirectory> {
  const { size: fileSize } = fstatSync(fd);
  const start = Math.max(0, fileSize - tailBytes);
  const tail = readAt(fd, start, fileSize - start);
  for (let at = tail.length - endSize; at >= 0; at -= 1) {
    if (tail.readUInt32LE(at) !== signature.end || at + endSize + tail.readUInt16LE(at + 20) > tail.length) continue;
    const directory = directoryAt(fd, start + at, tail.subarray(at, at + endSize));
    if (directory !== undefined) yield directory;
  }
}

/** Undefined when there is no table where the record says. */
function directoryAt(fd: number, recordAt: number, record: Buffer): ZipDirectory | undefined {
  let [entries, size, offset] = [record.readUInt16LE(10), record.readUInt32LE(12), record.readUInt32LE(16)];
  let end = recordAt;
  if (entries === 0xffff || size === 0xffffffff || offset === 0xffffffff) {
    const wide = wideRecord(fd, recordAt - 20);
    if (wide === undefined) return undefined;
    ({ entries, size, offset, end } = wide);
  } else if (record.readUInt16LE(4) !== 0 || record.readUInt16LE(6) !== 0) throw splitArchive();
  // An archive of nothing counts only where it is all there is: the end of one is easily found in what is none.
  if (entries === 0 && size === 0) return offset === end ? { offset, size, entries, before: 0 } : undefined;
  // The table ends where the record begins. What its offset does not account for stands before the archive, unless it is right as it is.
  for (const before of [end - size - offset, 0]) {
    const start = readAt(fd, before + offset, 4);
    if (before >= 0 && before + offset < end && start.length === 4 && start.readUInt32LE(0) === signature.entry) {
      return { offset: before + offset, size: end - before - offset, entries, before };
    }
  }
  return undefined;
}

function wideRecord(fd: number, locatorAt: number) {
  const locator = readAt(fd, locatorAt, 20);
  if (locator.length < 20 || locator.readUInt32LE(0) !== signature.wideLocator) return undefined;
  if (locator.readUInt32LE(4) !== 0 || locator.readUInt32LE(16) > 1) throw splitArchive();
  // Right before its locator, unless it has data of makers in it; then where the locator says.
  for (const at of [locatorAt - 56, Number(locator.readBigUInt64LE(8))]) {
    const record = readAt(fd, at, 56);
    if (record.length < 56 || record.readUInt32LE(0) !== signature.wideEnd) continue;
    const [entries = 0, size = 0, offset = 0] = [32, 40, 48].map((field) => Number(record.readBigUInt64LE(field)));
    return { entries, size, offset, end: at };
  }
  return undefined;
}

const splitArchive = () =>
  brokenZip('it is one part of several', { remedy: 'put them together first (zip -s 0 parts.zip --out whole.zip)' });

/** As many of the bytes as there are; none for a place that cannot be. */
export function readAt(fd: number, position: number, length: number): Buffer {
  if (position < 0 || !Number.isSafeInteger(position)) return Buffer.alloc(0);
  const buffer = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const bytesRead = readSync(fd, buffer, done, length - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return buffer.subarray(0, done);
}
