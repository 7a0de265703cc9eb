/** Unpacks a tar stream: directories and regular files only (spec 03 §10.5). */
import { ByteSource } from './byte-source.ts';
import { entryPath, refuseNameless } from './entry-path.ts';
import { shownName, unsafeEntry } from './faults.ts';
import { type TarEntry, tarEntries } from './tar-entries.ts';
import type { Tree } from './tree.ts';

/** How many entries of other kinds were left out: links and devices have no place in a source, kpack drops them too. */
export interface Skipped {
  readonly skipped: number;
}

/** How the entries of one archive become files of a tree. */
export interface TarOptions {
  /** Leading path components to drop. */
  readonly strip?: number;
  /** Entries that mean something else than a file of their name. */
  readonly isPassedOver?: (path: string) => boolean;
}

/** Most that is read behind the end of an archive, so that the sum at the end of compressed data is looked at; blocking fills up to that. */
const mostPadding = 16 << 20;

/** @throws PermanentError for broken archives and for entries that climb out of the folder. */
export async function unpackTar(
  archive: AsyncIterable<Uint8Array>,
  tree: Tree,
  { strip = 0, isPassedOver = () => false }: TarOptions = {},
): Promise<Skipped> {
  const source = new ByteSource(tree.counted(archive));
  const claimed = claims(strip);
  let skipped = 0;
  try {
    for await (const entry of tarEntries(source)) {
      const path = entryPath(entry.name, strip);
      if (entry.kind === 'file') refuseNameless(entry.name);
      if (path === undefined) continue;
      if (isPassedOver(path)) continue;
      if (entry.kind === 'directory') tree.directory(path, entry.mode ?? 0o755);
      else if (entry.kind === 'file') {
        claimed(entry.name, path);
        await writeFile(entry, path, tree);
      } else if (!isItself(entry)) {
        // What comes later counts, here as in every tar: what it takes the place of is not there any more.
        tree.removeFile(path);
        skipped += 1;
      }
    }
    await source.skip(mostPadding);
  } finally {
    await source.close();
  }
  return { skipped };
}

async function writeFile(entry: TarEntry, path: string, tree: Tree): Promise<void> {
  const file = tree.file(path, entry.mode ?? 0o644, entry.size);
  try {
    for (const { at, length } of entry.fragments) {
      let position = at;
      for await (const piece of entry.bytes(length)) {
        file.write(piece, position);
        position += piece.length;
      }
    }
  } catch (error) {
    file.abandon();
    throw error;
  }
  file.finish();
}

/** GNU tar writes a file that it was given twice as a link to itself. */
function isItself({ kind, name, target }: TarEntry): boolean {
  const partsOf = (path: string) =>
    path
      .split('/')
      .filter((part) => part !== '' && part !== '.')
      .join('/');
  return kind === 'hard link' && partsOf(name) === partsOf(target);
}

/**
 * A file that comes twice is legal, and the later one counts. Two of different names that are one when components are dropped are not: one would
 * be lost.
 */
function claims(strip: number): (name: string, path: string) => void {
  if (strip === 0) return () => undefined;
  const names = new Map<string, string>();
  return (name, path) => {
    const whole = entryPath(name, 0) ?? '';
    const other = names.get(path);
    if (other !== undefined && other !== whole) {
      throw unsafeEntry(
        name,
        `would be the same file as ${shownName(other)}, ${shownName(path)}, when ${strip} leading components are dropped`,
      );
    }
    names.set(path, whole);
  };
}
