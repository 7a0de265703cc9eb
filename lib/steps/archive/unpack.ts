/** Unpacks a downloaded archive by what its bytes are; names and content types are not believed (spec 03 §10.3). */
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { PermanentError } from '../../errors/expected.ts';
import { type ArchiveLimits, ExtractionBudget } from './limits.ts';
import { type Skipped, unpackTar } from './tar.ts';
import { Tree } from './tree.ts';
import { unpackZip } from './zip.ts';

export type ArchiveKind = 'zip' | 'tar' | 'tar.gz';

export interface UnpackOptions {
  readonly into: string;
  /** Leading path components to drop. */
  readonly strip?: number;
  readonly limits?: ArchiveLimits;
}

/** Unpacks `file`, which is of the given kind. @throws PermanentError for anything that is not right with the archive. */
export async function unpackArchive(
  file: string,
  kind: ArchiveKind,
  { into, strip = 0, limits }: UnpackOptions,
): Promise<Skipped> {
  const tree = new Tree(into, new ExtractionBudget((await stat(file)).size, limits));
  if (kind === 'zip') {
    await unpackZip(file, tree, strip);
    return { skipped: 0 };
  }
  const bytes = createReadStream(file);
  return await unpackTar(kind === 'tar' ? bytes : gunzipped(bytes), tree, strip);
}

function gunzipped(bytes: ReturnType<typeof createReadStream>): AsyncIterable<Uint8Array> {
  const gunzip = createGunzip();
  bytes.on('error', (error) => gunzip.destroy(error));
  return bytes.pipe(gunzip);
}

/** Kind of an archive by its first block. @throws PermanentError with kpack's sentence when it is none. */
export async function archiveKind(file: string): Promise<ArchiveKind> {
  const handle = await open(file, 'r');
  try {
    const block = Buffer.alloc(512);
    const { bytesRead } = await handle.read(block, 0, block.length, 0);
    if (bytesRead >= 4 && block.readUInt32LE(0) === 0x04034b50) return 'zip';
    if (bytesRead >= 3 && block.readUIntBE(0, 3) === 0x1f8b08) return 'tar.gz';
    if (bytesRead === 512 && isTarHeader(block)) return 'tar';
  } finally {
    await handle.close();
  }
  throw new PermanentError('', 'unexpected blob file type, must be one of .zip, .tar.gz, .tar, .jar');
}

/** The header's checksum is the sum of its bytes with the checksum itself read as spaces; a block of zeros is an empty archive. */
function isTarHeader(block: Buffer): boolean {
  if (block.every((byte) => byte === 0)) return true;
  const declared = Number.parseInt(block.toString('latin1', 148, 156), 8);
  const sum = block.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0);
  return declared === sum;
}
