/** Unpacks a downloaded archive by what its bytes are; names and content types are not believed (spec 03 §10.3). */
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { PermanentError } from '../../errors/expected.ts';
import { type Compression, compressionOf } from './compression.ts';
import { decompressed } from './decompress.ts';
import { type ArchiveLimits, ExtractionBudget } from './limits.ts';
import { type Skipped, unpackTar } from './tar.ts';
import { blockBytes, isZero, parseHeader } from './tar-header.ts';
import { Tree } from './tree.ts';
import { unpackZip } from './zip.ts';
import { hasZipDirectory } from './zip-end.ts';

export type TarKind = 'tar' | 'tar.gz' | 'tar.zst';
export type ArchiveKind = 'zip' | TarKind;

export interface UnpackOptions {
  readonly into: string;
  /** Leading path components to drop. */
  readonly strip?: number;
  readonly limits?: ArchiveLimits;
}

/**
 * Unpacks `file`, which is of the given kind. @throws PermanentError for anything that is not right with the archive; nothing of it is left then.
 */
export async function unpackArchive(
  file: string,
  kind: ArchiveKind,
  { into, strip = 0, limits }: UnpackOptions,
): Promise<Skipped> {
  return await filled(new Tree(into, new ExtractionBudget((await stat(file)).size, limits)), (tree) =>
    kind === 'zip' ? unpackZip(file, tree, strip) : unpackTar(openTar(createReadStream(file), kind), tree, { strip }),
  );
}

/** What `fill` makes of the tree, or nothing at all. */
export async function filled<T>(tree: Tree, fill: (tree: Tree) => Promise<T>): Promise<T> {
  try {
    return await fill(tree);
  } catch (error) {
    tree.discard();
    throw error;
  }
}

/** The plain tar in a file of that kind. */
export function openTar(bytes: AsyncIterable<Uint8Array>, kind: TarKind): AsyncIterable<Uint8Array> {
  if (kind === 'tar') return bytes;
  return decompressed(bytes, kind === 'tar.gz' ? 'gzip' : 'zstd');
}

/** What the first bytes of a file show. */
type Found =
  | { readonly kind: ArchiveKind }
  | { readonly kind?: undefined; readonly compression: Compression | undefined };

/** Kind of an archive by its bytes. @throws PermanentError with kpack's sentence when it is none, and with the name of what it is compressed by */
export async function archiveKind(file: string): Promise<ArchiveKind> {
  const found = await look(file);
  if (found.kind !== undefined) return found.kind;
  const is = found.compression === undefined ? '' : `; this is ${found.compression}`;
  throw new PermanentError('', `unexpected blob file type, must be one of .zip, .tar.gz, .tar, .jar${is}`);
}

/** Kind of a layer by its bytes; an empty one is an archive of nothing. @throws PermanentError naming the layer, and what it is when that is known */
export async function layerKind(file: string, layer: string): Promise<TarKind> {
  const found = (await stat(file)).size === 0 ? { kind: 'tar' as const } : await look(file);
  if (found.kind !== undefined && found.kind !== 'zip') return found.kind;
  const is = found.kind ?? found.compression;
  throw new PermanentError(
    'BrokenArchive',
    `layer ${layer} is ${is === undefined ? 'no archive' : is}: layers are tar, plain or compressed by gzip or zstd`,
  );
}

async function look(file: string): Promise<Found> {
  const handle = await open(file, 'r');
  try {
    const block = Buffer.alloc(blockBytes);
    const { bytesRead } = await handle.read(block, 0, block.length, 0);
    const start = block.subarray(0, bytesRead);
    if (bytesRead >= 4 && block.readUInt32LE(0) === 0x04034b50) return { kind: 'zip' };
    const compression = compressionOf(start);
    if (compression === 'gzip') return { kind: 'tar.gz' };
    if (compression === 'zstd') return { kind: 'tar.zst' };
    if (bytesRead === blockBytes && (isZero(block) || parseHeader(block) !== undefined)) return { kind: 'tar' };
    // Programs that unpack themselves have their zip at the end.
    return hasZipDirectory(handle.fd) ? { kind: 'zip' } : { compression };
  } finally {
    await handle.close();
  }
}
