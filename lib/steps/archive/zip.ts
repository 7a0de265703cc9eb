/** Unpacks a zip file (jar, war) through its central directory (APPNOTE 6.3.10 §4.3; spec 03 §10.5). */
import { closeSync, openSync } from 'node:fs';
import { Readable } from 'node:stream';
import { crc32, createInflateRaw, inflateRawSync } from 'node:zlib';
import { brokenEntry } from './faults.ts';
import type { Skipped } from './tar.ts';
import type { Tree } from './tree.ts';
import { readZipDirectory, type ZipEntry } from './zip-directory.ts';
import { readAt } from './zip-end.ts';
import { plannedZip, stored } from './zip-plan.ts';

/**
 * Nothing is written before all of the table of contents is known to be fit for it.
 * @throws PermanentError for broken, encrypted or unsupported archives and for entries that climb out of the folder or are one file.
 */
export async function unpackZip(file: string, tree: Tree, strip: number): Promise<Skipped> {
  const fd = openSync(file, 'r');
  try {
    for (const { path, entry, isFolder } of plannedZip(readZipDirectory(fd), strip)) {
      if (isFolder) tree.directory(path, entry.mode ?? 0o755);
      else await writeFile(fd, entry, path, tree);
    }
  } finally {
    closeSync(fd);
  }
  return { skipped: 0 };
}

async function writeFile(fd: number, entry: ZipEntry, path: string, tree: Tree): Promise<void> {
  const file = tree.file(path, entry.mode ?? 0o666, entry.size);
  let position = 0;
  try {
    for await (const chunk of contentOf(fd, entry)) {
      file.write(chunk, position);
      position += chunk.byteLength;
    }
  } catch (error) {
    file.abandon();
    throw error;
  }
  file.finish();
}

const localHeaderSize = 30;

/** Up to this size an entry is inflated in one go: streams cost more than the work itself. */
const atOnceBytes = 1 << 20;

async function* contentOf(fd: number, entry: ZipEntry): AsyncGenerator<Uint8Array> {
  const header = readAt(fd, entry.offset, localHeaderSize);
  if (header.length < localHeaderSize || header.readUInt32LE(0) !== 0x04034b50)
    throw broken(entry, 'has no local header');
  const start = entry.offset + localHeaderSize + header.readUInt16LE(26) + header.readUInt16LE(28);
  let crc = 0;
  let size = 0;
  try {
    for await (const chunk of bytesOf(fd, entry, start)) {
      size += chunk.byteLength;
      if (size > entry.size) break;
      crc = crc32(chunk, crc);
      yield chunk;
    }
  } catch (error) {
    const isInflate =
      error instanceof Error && 'code' in error && /^(?:Z_|ERR_BUFFER_TOO_LARGE)/.test(String(error.code));
    if (isInflate) throw broken(entry, 'does not inflate');
    throw error;
  }
  // Makers that do not know the sum write 0 for it, which nothing but an empty file has.
  if (size !== entry.size || (crc !== entry.crc && entry.crc !== 0))
    throw broken(entry, 'does not have the size and checksum it declares');
}

async function* bytesOf(fd: number, entry: ZipEntry, start: number): AsyncGenerator<Uint8Array> {
  if (entry.method === stored) {
    yield* rawBytes(fd, start, entry.compressedSize);
    return;
  }
  if (entry.size <= atOnceBytes && entry.compressedSize <= atOnceBytes) {
    const packed = readAt(fd, start, entry.compressedSize);
    yield inflateRawSync(packed, { maxOutputLength: Math.max(entry.size, 1) });
    return;
  }
  const source = Readable.from(rawBytes(fd, start, entry.compressedSize), { objectMode: false });
  const inflate = createInflateRaw();
  source.on('error', (error) => inflate.destroy(error));
  yield* source.pipe(inflate);
}

function* rawBytes(fd: number, start: number, length: number): Generator<Uint8Array> {
  for (let done = 0; done < length; ) {
    const chunk = readAt(fd, start + done, Math.min(1 << 17, length - done));
    if (chunk.length === 0) return;
    done += chunk.length;
    yield chunk;
  }
}

const broken = ({ name }: ZipEntry, why: string) => brokenEntry(name, why);
