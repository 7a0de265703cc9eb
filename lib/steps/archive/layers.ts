/** Unpacks the layers of an image, one above the other (OCI image-spec layer.md "Applying Changesets"). */
import { createReadStream } from 'node:fs';
import { ByteSource } from './byte-source.ts';
import { entryPath } from './entry-path.ts';
import { unsafeEntry } from './faults.ts';
import { type Skipped, unpackTar } from './tar.ts';
import { tarEntries } from './tar-entries.ts';
import type { Tree } from './tree.ts';
import { openTar, type TarKind } from './unpack.ts';

const whiteout = '.wh.';
/** In a folder: nothing of it that lower layers have is there. */
const opaque = '.wh..wh..opq';

/** A layer on disk. */
export interface LayerFile {
  readonly file: string;
  readonly kind: TarKind;
}

/** Adds a layer to what those below it left in the tree. @throws PermanentError for broken archives and unsafe entries */
export async function unpackLayer({ file, kind }: LayerFile, tree: Tree, isLowest: boolean): Promise<Skipped> {
  if (!isLowest) await makeWay(openTar(createReadStream(file), kind), tree);
  return await unpackTar(openTar(createReadStream(file), kind), tree, {
    isPassedOver: (path) => nameOf(path).startsWith(whiteout),
  });
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
const folderOf = (path: string): string => path.slice(0, Math.max(path.lastIndexOf('/'), 0));

/**
 * Removes from lower layers what this one hides, before anything of it is there: so it makes no difference in which order its entries come.
 * Folders are united, everything else takes the place of what has its name.
 */
async function makeWay(archive: AsyncIterable<Uint8Array>, tree: Tree): Promise<void> {
  const source = new ByteSource(tree.counted(archive));
  try {
    for await (const { name, kind } of tarEntries(source)) {
      const path = entryPath(name, 0);
      if (path === undefined) continue;
      const hidden = nameOf(path);
      if (hidden === opaque) tree.removeBelow(folderOf(path));
      else if (hidden.startsWith(whiteout)) tree.remove(hiddenBy(path));
      else if (kind === 'directory') tree.removeFile(path);
      else tree.remove(path);
      for (let above = folderOf(path); above !== ''; above = folderOf(above)) tree.removeFile(above);
    }
  } finally {
    await source.close();
  }
}

/** @throws PermanentError for a mark that would hide its own folder or what is above it */
function hiddenBy(mark: string): string {
  const name = nameOf(mark).slice(whiteout.length);
  if (['', '.', '..'].includes(name)) throw unsafeEntry(mark, 'marks nothing that could be in its folder as removed');
  return folderOf(mark) === '' ? name : `${folderOf(mark)}/${name}`;
}
