/** Which shared libraries a program needs, resolved only among the unpacked packages, never on the machine that builds. */
import { existsSync } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { PermanentError } from '../../lib/errors/expected.ts';
import { type Architecture, machines } from './architecture.ts';
import { toolOutput } from './command.ts';
import type { LayerEntry } from './layer.ts';
import { machineOf } from './strip.ts';

const libraryFolders = (architecture: Architecture): readonly string[] => {
  const folder = machines[architecture].libraries;
  return [`lib/${folder}`, `usr/lib/${folder}`, 'lib64', 'usr/lib64'];
};

/** soname → file, for the given programs and everything they need in turn. @throws PermanentError when a library is in no package. */
export async function neededLibraries(
  programs: readonly string[],
  packageFolders: Iterable<string>,
  architecture: Architecture,
): Promise<ReadonlyMap<string, string>> {
  const roots = [...packageFolders].flatMap((root) => libraryFolders(architecture).map((folder) => join(root, folder)));
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

function locate(soname: string, folders: readonly string[]): string | undefined {
  return folders.map((folder) => join(folder, soname)).find((path) => existsSync(path));
}

/** Every program and library among the entries is for this machine. @throws PermanentError that names one that is not */
export async function checkMachine(entries: readonly LayerEntry[], architecture: Architecture): Promise<void> {
  for (const entry of entries) {
    if (entry.kind !== 'file' || !('from' in entry)) continue;
    await using file = await open(entry.from);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(64), 0, 64, 0);
    const machine = machineOf(buffer.subarray(0, bytesRead));
    if (machine !== machines[architecture].elfMachine)
      throw new PermanentError('WrongMachine', `${entry.path} is not for ${architecture}: its machine is ${machine}`);
  }
}
