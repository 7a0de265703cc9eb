/** Fetches Debian packages with apt, which checks signatures and hashes, and unpacks them without installing anything. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { PermanentError } from '../../lib/errors/expected.ts';
import { type Architecture, ownArchitecture } from './architecture.ts';
import { toolOutput } from './command.ts';
import { debianRelease, pinnedPackages } from './packages.ts';

/** One package as the mirror's signed lists describe it. */
export interface ResolvedPackage {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
  readonly fileName: string;
}

export type Report = (line: string) => void;

/** Packages with the apt options that found them, which must also download them. */
export interface Resolution {
  readonly packages: readonly ResolvedPackage[];
  readonly apt: readonly string[];
}

/**
 * The pinned packages as the mirror has them now. The release is what is fixed: when a pinned version has left the mirror, a security fix
 * has replaced it, so the release's candidate is taken, the change is reported, and the result carries what was really used.
 * The machine's own lists serve when they are of that release; otherwise, or when `fresh`, lists of ours are fetched and used.
 */
export async function resolvePackages(
  cacheDir: string,
  report: Report,
  architecture: Architecture,
  { fresh = false }: { readonly fresh?: boolean } = {},
): Promise<Resolution> {
  const mayUseMachine = !fresh && architecture === ownArchitecture();
  let apt = (mayUseMachine ? await machineOptions() : undefined) ?? (await privateOptions(cacheDir, architecture));
  let known = await candidates(apt);
  if (fresh || known.size < Object.keys(pinnedPackages).length) {
    report(`fetching the Debian package lists for ${architecture}`);
    apt = await privateOptions(cacheDir, architecture);
    await toolOutput('apt-get', [...apt, '-qq', 'update']);
    known = await candidates(apt);
  }
  const packages = Object.entries(pinnedPackages).map(([name, pinned]) => {
    const found = known.get(name);
    if (found === undefined) {
      throw new PermanentError('PackageMissing', `the mirror has no package ${name} for Debian ${debianRelease}`);
    }
    if (found.version !== pinned) report(`${name} ${pinned} has left the mirror; using ${found.version}`);
    return found;
  });
  return { packages, apt };
}

/** SHA-256 of a file, hex; undefined when it cannot be read. */
export async function sha256Of(path: string): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path), hash);
  } catch {
    return undefined;
  }
  return hash.digest('hex');
}

/** Those whose file is not what the mirror's signed lists say: absent, cut short, or changed since apt checked it. */
export async function notAsListed(
  packages: readonly ResolvedPackage[],
  debs: string,
): Promise<readonly ResolvedPackage[]> {
  const hashes = await Promise.all(packages.map(({ fileName }) => sha256Of(join(debs, fileName))));
  return packages.filter(({ sha256 }, index) => hashes[index] !== sha256);
}

/**
 * Downloads what is not there yet and unpacks each package into its own folder under `into`; returns those folders by package name. What lies in
 * the cache is believed by its hash alone: it ends up in a container that holds tenants' secrets.
 * @throws PermanentError when what was downloaded is not what the signed lists name
 */
export async function unpackPackages(
  { packages, apt }: Resolution,
  { cacheDir, into }: { readonly cacheDir: string; readonly into: string },
): Promise<ReadonlyMap<string, string>> {
  const debs = join(cacheDir, 'debs');
  await mkdir(debs, { recursive: true });
  const missing = await notAsListed(packages, debs);
  if (missing.length > 0) {
    const partial = join(into, 'partial');
    await mkdir(partial, { recursive: true });
    const wanted = missing.map(({ name, version }) => `${name}=${version}`);
    await toolOutput('apt-get', [...apt, '-qq', 'download', ...wanted], partial);
    for (const file of await readdir(partial)) await rename(join(partial, file), join(debs, file));
    await rm(partial, { recursive: true });
    const [wrong] = await notAsListed(missing, debs);
    if (wrong !== undefined)
      throw new PermanentError(
        'PackageChanged',
        `${wrong.fileName} is not the file that the mirror's signed lists name: remove ${debs} and try again`,
      );
  }
  const folders = new Map<string, string>();
  for (const { name, fileName } of packages) {
    const folder = join(into, name);
    await toolOutput('dpkg-deb', ['-x', join(debs, fileName), folder]);
    folders.set(name, folder);
  }
  return folders;
}

/** Parses `apt-get download --print-uris` lines: `'<url>' <name>_<version>_<arch>.deb <size> SHA256:<hex>`. */
export function parsePrintedUris(text: string): ReadonlyMap<string, ResolvedPackage> {
  const found = new Map<string, ResolvedPackage>();
  for (const line of text.split('\n')) {
    const [, fileName, , hash] = line.split(' ');
    const [name, version] = fileName?.replace(/\.deb$/, '').split('_') ?? [];
    if (fileName === undefined || name === undefined || version === undefined || !hash?.startsWith('SHA256:')) continue;
    found.set(name, { name, version: decodeURIComponent(version), sha256: hash.slice(7), fileName });
  }
  return found;
}

async function candidates(apt: readonly string[]): Promise<ReadonlyMap<string, ResolvedPackage>> {
  const names = Object.keys(pinnedPackages);
  const pinned = names.map((name) => `${name}=${pinnedPackages[name] ?? ''}`);
  try {
    return parsePrintedUris(await toolOutput('apt-get', [...apt, '-qq', 'download', '--print-uris', ...pinned]));
  } catch (error) {
    if (error instanceof PermanentError && error.reason === 'ToolMissing') throw error;
  }
  const found = new Map<string, ResolvedPackage>();
  for (const name of names) {
    for (const wanted of [`${name}=${pinnedPackages[name] ?? ''}`, name]) {
      if (found.has(name)) break;
      try {
        const one = parsePrintedUris(
          await toolOutput('apt-get', [...apt, '-qq', 'download', '--print-uris', wanted]),
        ).get(name);
        if (one !== undefined) found.set(name, one);
      } catch {
        // Unknown to the lists we have: the caller refreshes them or names the package.
      }
    }
  }
  return found;
}

const archiveKeyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

const always = ['-oDebug::NoLocking=true', '-oAPT::Sandbox::User=root'];

/** On a machine of the same release its own sources (mirror, proxy) and lists are right; undefined elsewhere. */
async function machineOptions(): Promise<readonly string[] | undefined> {
  const osRelease = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const lists = await readdir('/var/lib/apt/lists').catch(() => []);
  const matches = osRelease.includes(`VERSION_CODENAME=${debianRelease}\n`);
  return matches && lists.some((file) => file.includes(`_${debianRelease}_main_binary-`)) ? always : undefined;
}

/** Sources and lists of our own for the release: refreshing the machine's is not ours to do. */
async function privateOptions(cacheDir: string, architecture: Architecture): Promise<readonly string[]> {
  const state = join(cacheDir, `apt-${architecture}`);
  const sources = join(state, 'sources.list');
  await mkdir(join(state, 'lists', 'partial'), { recursive: true });
  await mkdir(join(state, 'archives', 'partial'), { recursive: true });
  const entry = (suite: string, archive: string): string =>
    `deb [arch=${architecture} signed-by=${archiveKeyring}] http://deb.debian.org/${archive} ${suite} main\n`;
  const updates = entry(`${debianRelease}-updates`, 'debian') + entry(`${debianRelease}-security`, 'debian-security');
  await writeFile(sources, entry(debianRelease, 'debian') + updates);
  return [
    ...always,
    `-oAPT::Architecture=${architecture}`,
    `-oDir::Etc::sourcelist=${sources}`,
    '-oDir::Etc::sourceparts=/nonexistent',
    `-oDir::State::lists=${join(state, 'lists')}`,
    `-oDir::Cache::archives=${join(state, 'archives')}`,
    '-oDir::Cache::pkgcache=',
    '-oDir::Cache::srcpkgcache=',
  ];
}
