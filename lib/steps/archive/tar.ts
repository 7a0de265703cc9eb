/** Unpacks a tar stream: directories and regular files only (spec 03 §10.5). */
import { Readable } from 'node:stream';
import { createTarDecoder } from 'modern-tar';
import { PermanentError } from '../../errors/expected.ts';
import { entryPath } from './entry-path.ts';
import type { Tree } from './tree.ts';

/** How many entries of other kinds were left out: links and devices have no place in a source, kpack drops them too. */
export interface Skipped {
  readonly skipped: number;
}

/** @throws PermanentError for broken archives and for entries that climb out of the folder. */
export async function unpackTar(archive: AsyncIterable<Uint8Array>, tree: Tree, strip: number): Promise<Skipped> {
  const entries = Readable.toWeb(Readable.from(archive)).pipeThrough(createTarDecoder({ strict: true }));
  let skipped = 0;
  try {
    for await (const { header, body } of entries) {
      const path = entryPath(header.name, strip);
      if (path !== undefined && header.type === 'file') {
        await tree.file(path, header.mode ?? 0o644, body);
        continue;
      }
      await body.cancel();
      if (path === undefined) continue;
      if (header.type === 'directory') tree.directory(path, header.mode ?? 0o755);
      else skipped += 1;
    }
  } catch (error) {
    if (error instanceof Error && isArchiveFault(error)) {
      throw new PermanentError('BrokenArchive', `the source archive cannot be read: ${error.message}`, {
        cause: error,
      });
    }
    throw error;
  }
  return { skipped };
}

/** What the decoders throw for bad bytes: plain errors from tar, Z_* from zlib. Errno failures of the disk are not the archive's. */
function isArchiveFault(error: Error): boolean {
  if (error.constructor === Error && !('code' in error)) return true;
  return 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_');
}
