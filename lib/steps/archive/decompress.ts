/**
 * gzip and zstd as files have them: several members one behind the other, padding or rubbish behind the last (RFC 1952 §2.2, RFC 8878 §3.1).
 * Node's own streams lose members: gunzip fails at rubbish before it has given what came before, zstd ends after the first frame.
 */
import type { Transform } from 'node:stream';
import { crc32, createInflateRaw, createZstdDecompress } from 'node:zlib';
import { ByteSource } from './byte-source.ts';
import { compressionOf, magicBytes } from './compression.ts';
import { brokenArchive } from './faults.ts';

/** What `decompressed` reads. */
export type ReadCompression = 'gzip' | 'zstd';

/** Bytes given to the engine at once. */
const pieceBytes = 1 << 16;

type Engine = Transform & { readonly bytesWritten: number };

/** The bytes of all members. @throws PermanentError where a member is damaged or cut short; what stands behind the last is not looked at. */
export async function* decompressed(
  bytes: AsyncIterable<Uint8Array>,
  compression: ReadCompression,
): AsyncGenerator<Uint8Array> {
  const source = new ByteSource(bytes);
  try {
    for (let isFirst = true; isFirst || (await follows(source, compression)); isFirst = false) {
      if (compression === 'gzip') yield* gzipMember(source);
      else yield* through(source, createZstdDecompress(), compression);
    }
  } finally {
    await source.close();
  }
}

async function follows(source: ByteSource, compression: ReadCompression): Promise<boolean> {
  const start = await source.take(magicBytes);
  source.giveBack(start);
  return compressionOf(start) === compression;
}

const cutShort = (compression: string) => brokenArchive(`its ${compression} data ends too early`);
const damaged = (compression: string, cause?: unknown) =>
  brokenArchive(`its ${compression} data is damaged`, { cause });

/** What whole frames may ask of their readers, and zstd itself refuses unless it is told otherwise. */
const unusualFrames: Readonly<Record<string, { readonly why: string; readonly remedy: string } | undefined>> = {
  ZSTD_error_frameParameter_windowTooLarge: {
    why: 'its zstd data looks back farther than 128 MiB',
    remedy: 'compress it anew with --long=27 or without --long',
  },
  ZSTD_error_dictionary_wrong: {
    why: 'its zstd data was made with a dictionary',
    remedy: 'compress it anew without one',
  },
};

/** RFC 1952 §2.3: header, deflated data, checksum and size. */
async function* gzipMember(source: ByteSource): AsyncGenerator<Uint8Array> {
  await skipGzipHeader(source);
  let sum = 0;
  let size = 0;
  for await (const chunk of through(source, createInflateRaw(), 'gzip')) {
    sum = crc32(chunk, sum);
    size += chunk.byteLength;
    yield chunk;
  }
  const trailer = await source.take(8);
  if (trailer.length < 8) throw cutShort('gzip');
  if (trailer.readUInt32LE(0) !== sum || trailer.readUInt32LE(4) !== size % 2 ** 32) throw damaged('gzip');
}

const flag = { headerChecksum: 2, extra: 4, name: 8, comment: 16 } as const;
/** Longest name or comment that is passed over. */
const maxText = 1 << 16;

async function skipGzipHeader(source: ByteSource): Promise<void> {
  const [, , , flags = 0] = await exactly(source, 10);
  if (flags & flag.extra) await exactly(source, (await exactly(source, 2)).readUInt16LE(0));
  for (const text of [flag.name, flag.comment]) if (flags & text) await skipText(source);
  if (flags & flag.headerChecksum) await exactly(source, 2);
}

async function exactly(source: ByteSource, count: number): Promise<Buffer> {
  const bytes = await source.take(count);
  if (bytes.length < count) throw cutShort('gzip');
  return bytes;
}

async function skipText(source: ByteSource): Promise<void> {
  for (let length = 0; length < maxText; length += 1) if ((await exactly(source, 1))[0] === 0) return;
  throw damaged('gzip');
}

/** What an engine makes of the bytes up to the end that they have in themselves; those behind it are given back. */
async function* through(source: ByteSource, engine: Engine, compression: ReadCompression): AsyncGenerator<Uint8Array> {
  let given = 0;
  let last: Buffer = Buffer.alloc(0);
  const feed = async (): Promise<void> => {
    // What an engine has not used when it is done with a piece stands behind the end.
    while (given === engine.bytesWritten && !engine.destroyed) {
      const piece = await source.any(pieceBytes);
      if (piece === undefined) break;
      given += piece.length;
      last = piece;
      // It may also never be done with it: then nobody waits for this any more.
      await new Promise((resolve) => engine.write(piece, resolve));
    }
    engine.end();
  };
  feed().catch((error: unknown) => engine.destroy(error instanceof Error ? error : new Error(String(error))));
  try {
    yield* engine as AsyncIterable<Uint8Array>;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (code === 'Z_BUF_ERROR') throw cutShort(compression);
    const unusual = unusualFrames[code];
    if (unusual !== undefined) throw brokenArchive(unusual.why, { cause: error, remedy: unusual.remedy });
    if (code.startsWith('Z_') || code.startsWith('ZSTD_')) throw damaged(compression, error);
    throw error;
  } finally {
    const unused = given - engine.bytesWritten;
    engine.destroy();
    if (unused > 0) source.giveBack(last.subarray(last.length - unused));
  }
}
