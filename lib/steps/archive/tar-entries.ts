/**
 * What a tar archive holds, entry by entry, in the order it has: long names and extended headers resolved, sparse files with their map. Read as GNU
 * tar and Go's archive/tar read it, and where one of them is lenient, lenient. Their libraries for Node lose or damage what is read here by name.
 */
import type { ByteSource } from './byte-source.ts';
import { compressionOf } from './compression.ts';
import { brokenArchive, brokenEntry, shownName } from './faults.ts';
import { decimal, type PaxRecords, parsePax } from './pax.ts';
import { blockBytes, isZero, numberAt, parseHeader, type TarHeader, textAt } from './tar-header.ts';
import { type Fragment, sparseFile } from './tar-sparse.ts';

/** An entry that has a place in a tree. Names and targets are bytes (faults.ts). */
export interface TarEntry {
  readonly name: string;
  readonly kind: 'file' | 'directory' | 'link' | 'hard link' | 'special';
  /** Of links. */
  readonly target: string;
  /** Permission bits; undefined where the archive has no number for them. */
  readonly mode: number | undefined;
  /** Bytes of the file when it is whole. */
  readonly size: number;
  /** The parts of the file that are stored; the whole of it unless it is sparse. */
  readonly fragments: readonly Fragment[];
  /** The next so many stored bytes, as they arrive. To be asked for each fragment in turn, before the next entry. */
  readonly bytes: (count: number) => AsyncIterable<Buffer> | Iterable<Buffer>;
}

/** Longest name or extended header, in bytes. */
const maxMetaBytes = 8 << 20;

/**
 * @throws PermanentError for what cannot be read. What stands behind the end of the archive is not looked at, unless there is nothing before it: images
 * of disks begin with zeros too.
 */
export async function* tarEntries(source: ByteSource): AsyncGenerator<TarEntry> {
  const globals = new Map<string, string>();
  for (let isFirst = true; ; isFirst = false) {
    const described = await nextDescribed(source, globals);
    if (described === undefined) {
      if (isFirst) await refuseOthers(source);
      return;
    }
    const { header, name, pax } = described;
    const kind = kindOf(header.type, name);
    const storedBytes = hasContent(header.type) ? sizeOf(described) : 0;
    if (kind === 'directory' && header.type !== 'D' && storedBytes > 0) {
      throw brokenEntry(name, 'is a folder and has content');
    }
    const begin = source.position;
    const sparse = kind === 'file' ? await sparseFile({ name, header, pax, storedBytes }, source) : undefined;
    // Blocks that continue the header of an old sparse file are not part of its content.
    const end = storedBytes + (header.type === 'S' ? source.position : begin);
    if (kind !== undefined) {
      const size = sparse?.size ?? storedBytes;
      const fragments = sparse?.fragments ?? (size > 0 ? [{ at: 0, length: size }] : []);
      const bytes = (count: number) => contentOf(source, name, count);
      yield { name, kind, target: described.target, mode: header.mode, size, fragments, bytes };
    }
    const rest = end - source.position;
    if ((await source.skip(rest)) < rest) throw cutShort(name);
    await source.skip(paddingOf(storedBytes));
  }
}

/** So far files of other formats are looked for behind zeros. */
const mostZeros = 1 << 20;

async function refuseOthers(source: ByteSource): Promise<void> {
  for await (const piece of source.pieces(mostZeros)) {
    if (!isZero(piece)) throw brokenArchive('it begins with zeros, and what follows is no tar archive');
  }
}

function contentOf(source: ByteSource, name: string, count: number): AsyncIterable<Buffer> | Iterable<Buffer> {
  const all = source.atHand(count);
  if (all !== undefined) return [all];
  return (async function* () {
    let left = count;
    for await (const piece of source.pieces(count)) {
      left -= piece.length;
      yield piece;
    }
    if (left > 0) throw cutShort(name);
  })();
}

const cutShort = (name: string) => brokenArchive(`it ends in entry ${shownName(name)}`);
const paddingOf = (size: number): number => (blockBytes - (size % blockBytes)) % blockBytes;

/** A header with what headers before it say of it. */
interface Described {
  readonly header: TarHeader;
  readonly name: string;
  readonly target: string;
  readonly pax: PaxRecords;
}

/** The next header of an entry; undefined at the end of the archive. Global records are put into `globals`. */
async function nextDescribed(source: ByteSource, globals: Map<string, string>): Promise<Described | undefined> {
  let own: PaxRecords = new Map();
  const long = { name: '', target: '' };
  for (;;) {
    const header = await nextHeader(source);
    if (header === undefined) return undefined;
    switch (header.type) {
      case 'L':
        long.name = await longText(source, header);
        break;
      case 'K':
        long.target = await longText(source, header);
        break;
      case 'x':
      case 'X':
        own = await records(source, header);
        break;
      case 'g':
        for (const [key, value] of await records(source, header)) globals.set(key, value);
        break;
      default: {
        const pax = new Map([...globals, ...own]);
        for (const [key, value] of pax) if (value === '') pax.delete(key);
        const sparse = ['0', '\0', '7'].includes(header.type) ? pax.get('GNU.sparse.name') : undefined;
        const name = sparse ?? (long.name || (pax.get('path') ?? header.name));
        return { header, name, target: long.target || (pax.get('linkpath') ?? header.linkName), pax };
      }
    }
  }
}

/** One block of zeros is an end as good as two, and so is no more data: many makers are as careless. */
async function nextHeader(source: ByteSource): Promise<TarHeader | undefined> {
  const at = source.position;
  const block = source.atHand(blockBytes) ?? (await source.take(blockBytes));
  if (isZero(block)) {
    const behind = await source.take(blockBytes);
    source.giveBack(behind);
    if (parseHeader(behind) === undefined) return undefined;
    throw brokenArchive(`behind an empty block at byte ${at}, which ends an archive, it goes on`, {
      remedy: 'pack it anew as one archive',
    });
  }
  const header = parseHeader(block);
  if (header !== undefined) return header;
  const inner = at === 0 ? compressionOf(block) : undefined;
  if (inner !== undefined)
    throw brokenArchive(`what was compressed is ${inner} itself`, { remedy: 'compress it once' });
  if (block.length < blockBytes) throw brokenArchive(`it ends in the middle of a header at byte ${at}`);
  throw brokenArchive(`no entry begins at byte ${at}, where one should`);
}

async function metaText(source: ByteSource, header: TarHeader): Promise<string> {
  const size = numberAt(header.block, 124, 12) ?? -1;
  if (size < 0 || size > maxMetaBytes)
    throw brokenArchive(`a long name or extended header before byte ${source.position} has no size that can be`);
  const bytes = await source.take(size);
  if (bytes.length < size)
    throw brokenArchive(`it ends in the middle of a long name or extended header at byte ${source.position}`);
  await source.skip(paddingOf(size));
  return bytes.toString('latin1');
}

async function longText(source: ByteSource, header: TarHeader): Promise<string> {
  const text = Buffer.from(await metaText(source, header), 'latin1');
  return textAt(text, 0, text.length);
}

async function records(source: ByteSource, header: TarHeader): Promise<PaxRecords> {
  const found = parsePax(await metaText(source, header));
  if (found === undefined) throw brokenArchive(`the extended header before byte ${source.position} is none`);
  return found;
}

function sizeOf({ header, name, pax }: Described): number {
  const size = decimal(pax.get('size')) ?? header.size;
  if (size === undefined || size < 0) throw brokenEntry(name, 'has no readable size');
  return size;
}

/** Links, folders and devices have no content, whatever their size says. */
const hasContent = (type: string): boolean => !['1', '2', '3', '4', '5', '6'].includes(type);

/** Undefined for what is no part of a tree: the name of a volume. @throws PermanentError for types that nobody here knows */
function kindOf(type: string, name: string): TarEntry['kind'] | undefined {
  switch (type) {
    case '0':
    case '\0':
    case '7':
      // So were folders written before there was a type for them.
      return name.endsWith('/') ? 'directory' : 'file';
    case 'S':
      return 'file';
    case '1':
      return 'hard link';
    case '2':
      return 'link';
    case '3':
    case '4':
    case '6':
      return 'special';
    case '5':
    // A folder of an incremental backup, with the list of what was in it.
    case 'D':
      return 'directory';
    case 'V':
      return undefined;
    case 'M':
      throw brokenEntry(name, 'goes on from another volume', { remedy: 'pack it as one archive' });
    default:
      throw brokenEntry(name, `is of type ${JSON.stringify(type)}, which is not known`, {
        remedy: 'pack it anew with files and folders alone',
      });
  }
}
