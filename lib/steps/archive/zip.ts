/** Unpacks a zip file (jar, war) through its central directory (APPNOTE 6.3.10 §4.3; spec 03 §10.5). */
import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { crc32, createInflateRaw } from 'node:zlib';
import { PermanentError } from '../../errors/expected.ts';
import { entryPath } from './entry-path.ts';
import type { Tree } from './tree.ts';
import { readZipDirectory, type ZipEntry } from './zip-directory.ts';

/** @throws PermanentError for broken, encrypted or unsupported archives and for entries that climb out of the folder. */
export async function unpackZip(file: string, tree: Tree, strip: number): Promise<void> {
  const handle = await open(file, 'r');
  try {
    for (const entry of await readZipDirectory(handle)) {
      const path = entryPath(entry.name, strip);
      if (path === undefined) continue;
      if (entry.name.endsWith('/')) await tree.directory(path, entry.mode ?? 0o755);
      else await tree.file(path, entry.mode ?? 0o666, contentOf(handle, entry));
    }
  } finally {
    await handle.close();
  }
}

const stored = 0;
const deflated = 8;
const localHeaderSize = 30;

async function* contentOf(handle: FileHandle, entry: ZipEntry): AsyncGenerator<Uint8Array> {
  if (entry.encrypted) throw broken(entry, 'is encrypted');
  if (entry.method !== stored && entry.method !== deflated) throw broken(entry, `uses compression ${entry.method}`);
  const header = Buffer.alloc(localHeaderSize);
  await handle.read(header, 0, localHeaderSize, entry.offset);
  if (header.readUInt32LE(0) !== 0x04034b50) throw broken(entry, 'has no local header');
  const start = entry.offset + localHeaderSize + header.readUInt16LE(26) + header.readUInt16LE(28);
  let crc = 0;
  let size = 0;
  try {
    for await (const chunk of bytesOf(handle, entry, start)) {
      size += chunk.byteLength;
      if (size > entry.size) break;
      crc = crc32(chunk, crc);
      yield chunk;
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_'))
      throw broken(entry, 'does not inflate');
    throw error;
  }
  if (size !== entry.size || crc !== entry.crc) throw broken(entry, 'does not have the size and checksum it declares');
}

function bytesOf(handle: FileHandle, entry: ZipEntry, start: number): AsyncIterable<Uint8Array> {
  const raw = rawBytes(handle, start, entry.compressedSize);
  if (entry.method === stored) return raw;
  const source = Readable.from(raw, { objectMode: false });
  const inflate = createInflateRaw();
  source.on('error', (error) => inflate.destroy(error));
  return source.pipe(inflate);
}

async function* rawBytes(handle: FileHandle, start: number, length: number): AsyncGenerator<Uint8Array> {
  for (let done = 0; done < length; ) {
    const chunk = Buffer.alloc(Math.min(1 << 17, length - done));
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, start + done);
    if (bytesRead === 0) return;
    done += bytesRead;
    yield chunk.subarray(0, bytesRead);
  }
}

function broken({ name }: ZipEntry, why: string): PermanentError {
  return new PermanentError('BrokenArchive', `zip entry ${JSON.stringify(name.slice(0, 200))} ${why}`);
}
