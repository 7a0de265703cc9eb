/** Which parts of a sparse file an archive holds (GNU tar manual "Storing Sparse Files"): four ways of saying it, one answer. */
import type { ByteSource } from './byte-source.ts';
import { brokenEntry } from './faults.ts';
import { decimal, type PaxRecords } from './pax.ts';
import { blockBytes, numberAt, type TarHeader } from './tar-header.ts';

/** A part that is stored: where in the file it lies, and its length in bytes. What no fragment holds is zeros. */
export interface Fragment {
  readonly at: number;
  readonly length: number;
}

/** The file as it is when it is whole. */
export interface SparseFile {
  readonly size: number;
  /** In order, without overlap; stored one right behind the other. */
  readonly fragments: readonly Fragment[];
}

/** What is known before the map is read. */
export interface SparseEntry {
  readonly name: string;
  readonly header: TarHeader;
  readonly pax: PaxRecords;
  /** Bytes that the archive has for it, the map of version 1.0 among them. */
  readonly storedBytes: number;
}

/** Longest map that is read, in bytes: hundreds of thousands of fragments. */
const maxMapBytes = 8 << 20;

/**
 * The map of a sparse file, taken from the source where it lies ahead; undefined when the file is not sparse.
 * @throws PermanentError for a map that cannot be, and by name for forms that are not read
 */
export async function sparseFile(entry: SparseEntry, source: ByteSource): Promise<SparseFile | undefined> {
  const { header, pax } = entry;
  if (pax.has('SUN.holesdata')) throw notRead(entry, "in Solaris' form (SUN.holesdata)");
  if (header.type === 'S') return await oldGnu(entry, source);
  if (![...pax.keys()].some((key) => key.startsWith('GNU.sparse.'))) return undefined;
  const version = `${pax.get('GNU.sparse.major') ?? '0'}.${pax.get('GNU.sparse.minor') ?? '0'}`;
  const size = decimal(pax.get('GNU.sparse.realsize')) ?? decimal(pax.get('GNU.sparse.size'));
  if (size === undefined) throw badSparse(entry, 'and does not say how long it is');
  if (version === '0.0' || version === '0.1') {
    const map = pax.get('GNU.sparse.map');
    if (map === undefined) throw badSparse(entry, 'and does not say where its holes are');
    return checked(entry, size, map.split(',').map(decimal), entry.storedBytes);
  }
  if (version !== '1.0') throw notRead(entry, `of version ${version} of GNU's form`);
  const { numbers, mapBytes } = await mapAhead(entry, source);
  return checked(entry, size, numbers, entry.storedBytes - mapBytes);
}

/** Type S: four fragments in the header, 21 in each block that follows it and is not counted as content. */
async function oldGnu(entry: SparseEntry, source: ByteSource): Promise<SparseFile> {
  const { block, isGnu } = entry.header;
  if (!isGnu) throw notRead(entry, "in star's form");
  const size = numberAt(block, 483, 12);
  if (size === undefined || size < 0) throw badSparse(entry, 'and does not say how long it is');
  const numbers = [...fragmentsAt(block, 386, 4)];
  for (let isExtended = block[482] !== 0; isExtended; ) {
    const more = await source.take(blockBytes);
    if (more.length < blockBytes || numbers.length * 12 > maxMapBytes) throw badMap(entry);
    numbers.push(...fragmentsAt(more, 0, 21));
    isExtended = more[504] !== 0;
  }
  return checked(entry, size, numbers, entry.storedBytes);
}

function* fragmentsAt(block: Buffer, start: number, count: number): Generator<number | undefined> {
  for (let at = start; at < start + count * 24 && block[at] !== 0; at += 24) {
    yield numberAt(block, at, 12);
    yield numberAt(block, at + 12, 12);
  }
}

/** Version 1.0: how many, then offset and length of each, a decimal number a line, up to the end of a block. */
async function mapAhead(entry: SparseEntry, source: ByteSource) {
  const numbers: (number | undefined)[] = [];
  let line = '';
  let mapBytes = 0;
  for (let wanted = 1; numbers.length < wanted; ) {
    const block = await source.take(blockBytes);
    mapBytes += blockBytes;
    if (block.length < blockBytes || mapBytes > Math.min(entry.storedBytes, maxMapBytes)) throw badMap(entry);
    const lines = `${line}${block.toString('latin1')}`.split('\n');
    line = lines.pop() ?? '';
    numbers.push(...lines.map(decimal));
    const [count] = numbers;
    if (numbers.length > 0 && count === undefined) throw badMap(entry);
    wanted = 1 + 2 * (count ?? 0);
  }
  const [count = 0] = numbers;
  return { numbers: numbers.slice(1, 1 + 2 * count), mapBytes };
}

function checked(
  entry: SparseEntry,
  size: number,
  numbers: readonly (number | undefined)[],
  storedBytes: number,
): SparseFile {
  const fragments: Fragment[] = [];
  let end = 0;
  let sum = 0;
  for (let index = 0; index < numbers.length; index += 2) {
    const [at, length] = [numbers[index], numbers[index + 1]];
    if (at === undefined || length === undefined || at < end || length < 0 || at + length > size) throw badMap(entry);
    end = at + length;
    sum += length;
    if (length > 0) fragments.push({ at, length });
  }
  if (sum !== storedBytes) throw badMap(entry);
  return { size, fragments };
}

const badSparse = ({ name }: SparseEntry, why: string) =>
  brokenEntry(name, `is sparse ${why}`, { remedy: 'pack it anew without sparse files' });

const badMap = (entry: SparseEntry) => badSparse(entry, 'and its map does not fit what the archive has for it');

const notRead = (entry: SparseEntry, form: string) => badSparse(entry, `${form}, which is not read`);
