/**
 * Makes this program run in images that have neither Node nor our libraries: builder images, of whatever distribution.
 *
 * `to` becomes a script. What starts it must be Node under our own loader and libraries, which takes more than the one argument that a
 * `#!` line allows. So two such lines are chained: `to` starts LIBRARIES with the argument NODE, and LIBRARIES, a script too, starts the
 * loader with `--library-path`. The kernel puts a script's own path after its argument, hence the loader reads
 * `--library-path LIBRARIES NODE to …`. LIBRARIES is both the path of a script and, split at its colon, a list of folders.
 */
import { chmod, copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import * as v from 'valibot';
import { PermanentError } from '../../errors/expected.ts';

/** Libraries of this very process, its loader among them; the kernel's own (`linux-vdso.so.1`) is no file. */
function loadedLibraries(): readonly string[] {
  Object.assign(process.report, { excludeNetwork: true });
  const { sharedObjects } = v.parse(report, process.report.getReport());
  return [...new Set(sharedObjects)].filter((path) => path.startsWith('/') && path.includes('.so'));
}

const report = v.object({ sharedObjects: v.array(v.string()) });

/** @param script path of the running program. @throws PermanentError when the place cannot be named in a `#!` line. */
export async function copyProgram(script: string, to: string): Promise<void> {
  const runtime = join(dirname(to), '.waiter');
  if (/[\s:]/.test(runtime) || runtime.length > 80) {
    throw new PermanentError('', `-to=${to} cannot be used: give a short path without spaces and colons`);
  }
  const libraries = join(runtime, 'lib');
  const starter = `${runtime}:${libraries}`;
  const node = join(runtime, 'node');
  const loaded = loadedLibraries();
  const loader = loaded.map((path) => basename(path)).find((name) => name.startsWith('ld-'));
  if (loader === undefined) throw new PermanentError('', 'the loader of this program was not found');

  await rm(to, { force: true });
  await mkdir(libraries, { recursive: true });
  await mkdir(dirname(starter), { recursive: true });
  for (const path of loaded) await copyFile(path, join(libraries, basename(path)));
  await copyFile(process.execPath, node);
  await writeFile(starter, `#!${join(libraries, loader)} --library-path\n`);
  const program = (await readFile(script, 'utf8')).replace(/^#!.*\n/, '');
  await writeFile(to, `#!${starter} ${node}\n${program}`);
  for (const file of [join(libraries, loader), node, starter, to]) await chmod(file, 0o755);
}
