/** L1: Node, its libraries, CA certificates and the little of /etc that a resolver wants (spec 08 §2.4). */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Architecture, machines } from './architecture.ts';
import { checkMachine, neededLibraries } from './elf.ts';
import type { LayerEntry } from './layer.ts';
import { stripped } from './strip.ts';

/** Numeric user of the image: pods that set none must still pass `runAsNonRoot`. */
export const stepUser = 1000;

const etc: Readonly<Record<string, string>> = {
  'etc/passwd': `root:x:0:0:root:/root:/sbin/nologin\nstep:x:${stepUser}:${stepUser}:step:/tmp:/sbin/nologin\n`,
  'etc/group': `root:x:0:\nstep:x:${stepUser}:\n`,
  'etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
};

export interface NodeLayer {
  readonly entries: readonly LayerEntry[];
  /** sonames that L2 need not carry again. */
  readonly sonames: ReadonlySet<string>;
}

/** @param node path of the Node binary as shipped; stripped into `scratch`. */
export async function nodeLayer(
  node: string,
  packages: ReadonlyMap<string, string>,
  scratch: string,
  architecture: Architecture,
): Promise<NodeLayer> {
  const program = join(scratch, 'node');
  await stripped(node, program);
  const libraries = await neededLibraries([node], packages.values(), architecture);
  const { libraries: folder, loader } = machines[architecture];
  const directories = [
    'cnb',
    'dev',
    'etc',
    'etc/ssl',
    'etc/ssl/certs',
    'proc',
    'run',
    'sys',
    'usr',
    'usr/bin',
    'usr/sbin',
    'usr/lib',
  ];
  const entries: LayerEntry[] = [
    ...[...directories, `usr/lib/${folder}`, 'usr/lib64'].map((path) => ({ path, kind: 'directory' as const })),
    { path: 'tmp', kind: 'directory', mode: 0o1777 },
    { path: 'workspace', kind: 'directory', mode: 0o777 },
    ...['bin', 'sbin', 'lib', 'lib64'].map((path) => ({ path, kind: 'symlink' as const, target: `usr/${path}` })),
    ...Object.entries(etc).map(([path, content]) => ({ path, kind: 'file' as const, content })),
    { path: 'etc/ssl/certs/ca-certificates.crt', kind: 'file', content: await certificates(packages) },
    { path: 'usr/bin/node', kind: 'file', mode: 0o755, from: program },
    ...libraryEntries(libraries, architecture),
    { ...loader, kind: 'symlink' },
  ];
  await checkMachine(entries, architecture);
  return { entries, sonames: new Set(libraries.keys()) };
}

/** Libraries as regular files under their soname: no ld.so.cache is needed to find them. */
export function libraryEntries(
  libraries: ReadonlyMap<string, string>,
  architecture: Architecture,
): readonly LayerEntry[] {
  return [...libraries].map(([soname, from]) => ({
    path: `usr/lib/${machines[architecture].libraries}/${soname}`,
    kind: 'file',
    mode: 0o755,
    from,
  }));
}

/** The package's postinst, which would write this bundle, never runs here. */
async function certificates(packages: ReadonlyMap<string, string>): Promise<string> {
  const root = join(packages.get('ca-certificates') ?? '', 'usr/share/ca-certificates');
  const files = (await readdir(root, { recursive: true })).filter((file) => file.endsWith('.crt')).sort();
  const texts = await Promise.all(files.map((file) => readFile(join(root, file), 'utf8')));
  return texts.map((text) => (text.endsWith('\n') ? text : `${text}\n`)).join('');
}
