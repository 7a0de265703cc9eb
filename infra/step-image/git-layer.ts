/** L2: git for https and ssh, dash for what git hands to a shell, and busybox, which waits in images of others (spec 08 §2.3, §3). */
import { join } from 'node:path';
import { PermanentError } from '../../lib/errors/expected.ts';
import { type Architecture, machines } from './architecture.ts';
import { checkMachine, neededLibraries } from './elf.ts';
import type { LayerEntry } from './layer.ts';
import { libraryEntries } from './node-layer.ts';

/** An allow-list: image path → the package and path it comes from. Everything else in the packages stays out (perl, locales, setuid programs). */
const programsFor = (
  libraries: string,
): readonly { readonly path: string; readonly from: readonly [packageName: string, path: string] }[] => [
  { path: 'usr/bin/busybox', from: ['busybox-static', 'bin/busybox'] },
  { path: 'usr/bin/dash', from: ['dash', 'bin/dash'] },
  { path: 'usr/bin/git', from: ['git', 'usr/bin/git'] },
  { path: 'usr/bin/git-lfs', from: ['git-lfs', 'usr/bin/git-lfs'] },
  { path: 'usr/bin/ssh', from: ['openssh-client', 'usr/bin/ssh'] },
  { path: 'usr/lib/git-core/git-remote-http', from: ['git', 'usr/lib/git-core/git-remote-http'] },
  {
    path: `usr/lib/${libraries}/libnss_wrapper.so`,
    from: ['libnss-wrapper', `usr/lib/${libraries}/libnss_wrapper.so`],
  },
];

/** `safe.directory`: the workspace belongs to root and the step runs as the builder's user, which git would call dubious ownership. */
const gitconfig = `[safe]
\tdirectory = *
[init]
\tdefaultBranch = main
[advice]
\tdetachedHead = false
`;

/** @param provided sonames that L1 carries already. */
export async function gitLayer(
  packages: ReadonlyMap<string, string>,
  provided: ReadonlySet<string>,
  architecture: Architecture,
): Promise<readonly LayerEntry[]> {
  const folder = machines[architecture].libraries;
  const sources = programsFor(folder).map(({ path, from: [name, inside] }) => {
    const unpacked = packages.get(name);
    if (unpacked === undefined) throw new PermanentError('PackageMissing', `package ${name} was not unpacked`);
    return { path, from: join(unpacked, inside) };
  });
  const libraries = await neededLibraries(
    sources.map(({ from }) => from),
    packages.values(),
    architecture,
  );
  const own = new Map([...libraries].filter(([soname]) => !provided.has(soname)));
  const directories = ['etc', 'usr', 'usr/bin', 'usr/lib', 'usr/lib/git-core', `usr/lib/${folder}`, 'usr/share'];
  const entries: readonly LayerEntry[] = [
    ...[...directories, 'usr/share/git-core', 'usr/share/git-core/templates'].map((path) => ({
      path,
      kind: 'directory' as const,
    })),
    ...sources.map(({ path, from }) => ({ path, kind: 'file' as const, mode: 0o755, from })),
    ...libraryEntries(own, architecture),
    { path: 'usr/bin/sh', kind: 'symlink', target: 'dash' },
    { path: 'usr/lib/git-core/git', kind: 'symlink', target: '../../bin/git' },
    { path: 'usr/lib/git-core/git-remote-https', kind: 'symlink', target: 'git-remote-http' },
    { path: 'etc/gitconfig', kind: 'file', content: gitconfig },
  ];
  await checkMachine(entries, architecture);
  return entries;
}
