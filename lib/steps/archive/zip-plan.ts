/** What unpacking a zip file will write, judged as a whole before anything is written. */
import { entryPath, refuseNameless } from './entry-path.ts';
import { brokenEntry, shownName, unsafeEntry } from './faults.ts';
import type { ZipEntry } from './zip-directory.ts';

/** One file or folder to be made. */
export interface PlannedEntry {
  /** Bytes (faults.ts), relative to the folder. */
  readonly path: string;
  readonly entry: ZipEntry;
  readonly isFolder: boolean;
}

/** Compression methods that are read (APPNOTE 6.3.10 §4.4.5). */
export const stored = 0;
const deflated = 8;

const methods: Readonly<Record<number, string>> = {
  1: 'shrink',
  6: 'implode',
  9: 'deflate64',
  12: 'bzip2',
  14: 'LZMA',
  20: 'zstd',
  93: 'zstd',
  95: 'xz',
  96: 'JPEG',
  97: 'WavPack',
  98: 'PPMd',
  99: 'AES encryption',
};

/** @throws PermanentError for what is encrypted or of an unknown method, for names that climb out, and for two entries that would be one file */
export function plannedZip(entries: readonly ZipEntry[], strip: number): readonly PlannedEntry[] {
  const taken = new Map<string, PlannedEntry>();
  for (const entry of entries) {
    const path = entryPath(entry.name, strip);
    const isFolder = entry.name.endsWith('/');
    if (!isFolder) refuseNameless(entry.name);
    if (path === undefined) continue;
    refuseUnreadable(entry, isFolder);
    const planned = { path, entry, isFolder };
    const other = taken.get(path);
    if (other !== undefined && !isSame(other, planned)) throw oneFile(other.entry, planned);
    taken.set(path, planned);
  }
  return [...taken.values()];
}

function refuseUnreadable({ name, encrypted, method, size }: ZipEntry, isFolder: boolean): void {
  if (encrypted) throw brokenEntry(name, 'is encrypted', { remedy: 'make the archive without a password' });
  if (isFolder) {
    if (size > 0) throw brokenEntry(name, 'is a folder and has content');
  } else if (method !== stored && method !== deflated) {
    const known = methods[method];
    const how = known === undefined ? `compression ${method}` : `compression ${method} (${known})`;
    throw brokenEntry(name, `uses ${how}, which is not read`, {
      remedy: 'make the archive with deflate, as zip does by itself',
    });
  }
}

/** Folders are united, and of two files with the same content none is lost. */
function isSame(one: PlannedEntry, other: PlannedEntry): boolean {
  if (one.isFolder || other.isFolder) return one.isFolder && other.isFolder;
  const isKnown = one.entry.crc !== 0 || one.entry.size === 0;
  return isKnown && one.entry.crc === other.entry.crc && one.entry.size === other.entry.size;
}

function oneFile(first: ZipEntry, { entry, path }: PlannedEntry) {
  const why =
    first.name === entry.name
      ? 'is there twice with different content'
      : `would be the same as ${shownName(first.name)}, ${shownName(path)}, and one of them would be lost`;
  return unsafeEntry(entry.name, why);
}
