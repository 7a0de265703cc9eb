/** Unpacks a zip file (jar, war) through its central directory (APPNOTE 6.3.10 §4.3; spec 03 §10.5). */
import { closeSync, openSync, readSync } from 'node:fs';
import { Readable } from 'node:stream';
import { crc32, createInflateRaw, inflateRawSync } from 'node:zlib';
import { PermanentError } from '../../errors/expected.ts';
import { entryPath } from './entry-path.ts';
import type { Tree } from './tree.ts';
import { readZipDirectory, type ZipEntry } from './zip-directory.ts';

/** @throws PermanentError for broken, encrypted or unsupported archives and for entries that climb out of the folder. */
export async function unpackZip(file: string, tree: Tree, strip: number): Promise<void> {
  const fd = openSync(file, 'r');
  try {
    for (const entry of readZipDirectory(fd)) {
      const path = entryPath(entry.name, strip);
      if (path === undefined) continue;
      if (entry.name.endsWith('/')) tree.directory(path, entry.mode ?? 0o755);
      else await tree.file(path, entry.mode ?? 0o666, contentOf(fd, entry));
    }
  } finally {
    closeSync(fd);
  }
}

const stored = 0;
const deflated = 8;
const localHeaderSize = 30;

/** Up to this size an entry is inflated in one go: streams cost more than the work itself. */
const atOnceBytes = 1 << 20;

async function* contentOf(fd: number, entry: ZipEntry): AsyncGenerator<Uint8Array> {
  if (entry.encrypted) throw broken(entry, 'is encrypted');
  if (entry.method !== stored && entry.method !== deflated) throw broken(entry, `uses compression ${entry.method}`);
  const header = Buffer.alloc(localHeaderSize);
  readSync(fd, header, 0, localHeaderSize, entry.offset);
  if (header.readUInt32LE(0) !== 0x04034b50) throw broken(entry, 'has no local header');
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
  if (size !== entry.size || crc !== entry.crc) throw broken(entry, 'does not have the size and checksum it declares');
}

async function* bytesOf(fd: number, entry: ZipEntry, start: number): AsyncGenerator<Uint8Array> {
  if (entry.method === stored) {
    yield* rawBytes(fd, start, entry.compressedSize);
    return;
  }
  if (entry.size <= atOnceBytes && entry.compressedSize <= atOnceBytes) {
    const packed = Buffer.alloc(entry.compressedSize);
    readSync(fd, packed, 0, packed.length, start);
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
    const chunk = Buffer.alloc(Math.min(1 << 17, length - done));
    const bytesRead = readSync(fd, chunk, 0, chunk.length, start + done);
    if (bytesRead === 0) return;
    done += bytesRead;
    yield chunk.subarray(0, bytesRead);
  }
}

function broken({ name }: ZipEntry, why: string): PermanentError {
  return new PermanentError('BrokenArchive', `zip entry ${JSON.stringify(name.slice(0, 200))} ${why}`);
}
