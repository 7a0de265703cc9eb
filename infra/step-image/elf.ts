/** Which shared libraries a program needs, resolved only among the unpacked packages, never on the machine that builds. */
import { existsSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { PermanentError } from '../../lib/errors/expected.ts';
import { toolOutput } from './command.ts';

const libraryFolders = ['lib/x86_64-linux-gnu', 'usr/lib/x86_64-linux-gnu', 'lib64', 'usr/lib64'];

/** soname → file, for the given programs and everything they need in turn. @throws PermanentError when a library is in no package. */
export async function neededLibraries(
  programs: readonly string[],
  packageFolders: Iterable<string>,
): Promise<ReadonlyMap<string, string>> {
  const roots = [...packageFolders];
  const found = new Map<string, string>();
  const queue = [...programs];
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    for (const soname of await neededBy(file)) {
      if (found.has(soname)) continue;
      const library = locate(soname, roots);
      if (library === undefined) {
        throw new PermanentError('LibraryMissing', `${file} needs ${soname}, which is in none of the image's packages`);
      }
      const real = await realpath(library);
      found.set(soname, real);
      queue.push(real);
    }
  }
  return found;
}

async function neededBy(file: string): Promise<readonly string[]> {
  const dynamic = await toolOutput('readelf', ['-d', file]);
  return [...dynamic.matchAll(/\(NEEDED\).*\[(.+)\]/g)].flatMap(([, soname]) => soname ?? []);
}

function locate(soname: string, roots: readonly string[]): string | undefined {
  return roots
    .flatMap((root) => libraryFolders.map((folder) => join(root, folder, soname)))
    .find((path) => existsSync(path));
}
