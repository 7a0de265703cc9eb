/**
 * Programs that need not be compiled: what this machine has already, or what its Debian has, when the version fits. A package is unpacked,
 * never installed: installing one would start a service of its own.
 */
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { run } from './command.ts';
import { whichProgram } from './packages.ts';
import { KUBERNETES_VERSION, type ProgramName } from './programs.ts';
import type { Report } from './report.ts';

/** Where a program may come from. */
interface Source {
  /** Program in PATH, and how it says its version. */
  readonly program: string;
  readonly says: readonly string[];
  /** Debian package that holds it as `/usr/bin/<program>`; a program that only the machine's owner installs has none. */
  readonly package?: string;
  readonly fits: (version: Version) => boolean;
}

/** Major, minor, patch. */
export type Version = readonly [number, number, number];

const atLeast =
  (least: Version) =>
  (version: Version): boolean => {
    const index = least.findIndex((part, at) => version[at] !== part);
    return index < 0 || (version[index] ?? 0) > (least[index] ?? 0);
  };

const ownMinor = Number(KUBERNETES_VERSION.split('.')[1]);

/** What fits, and why not less. */
export const readyMade: Readonly<Partial<Record<ProgramName, Source>>> = {
  // Older ones do not tell how far a watch has come (RequestWatchProgress), so the API server would answer lists from etcd.
  etcd: { program: 'etcd', says: ['--version'], package: 'etcd-server', fits: atLeast([3, 5, 13]) },
  // OCI manifests and indexes; test/contract/oci runs on it beside the compiled one.
  registry: { program: 'docker-registry', says: ['--version'], package: 'docker-registry', fits: atLeast([2, 8, 0]) },
  // Nothing of the cluster needs it; people type `get` and `logs`, which two minor versions do not change.
  kubectl: {
    program: 'kubectl',
    says: ['version', '--client'],
    fits: ([major, minor]) => major === 1 && Math.abs(minor - ownMinor) <= 2,
  },
};

/** The first version in what a program or a package list says; undefined without one. */
export const versionIn = (text: string): Version | undefined => {
  const found = /(?<![\d.])(\d{1,4})\.(\d{1,4})\.(\d{1,4})/.exec(text);
  return found === null ? undefined : [Number(found[1]), Number(found[2]), Number(found[3])];
};

const fits = ({ fits }: Source, said: string): boolean => {
  const version = versionIn(said);
  return version !== undefined && fits(version);
};

/** What a command says; nothing when it fails or is not there. */
const said = (program: string, args: readonly string[]): Promise<string> =>
  run(program, args, { timeout: 60_000 }).catch(() => '');

/** Puts a program that fits at `target`, by a link or from a package; whether it did. Nothing that goes wrong here is an error: it is compiled then. */
export const takeReadyMade = async (name: ProgramName, target: string, report: Report): Promise<boolean> => {
  const source = readyMade[name];
  if (source === undefined) return false;
  mkdirSync(dirname(target), { recursive: true });
  const there = whichProgram(source.program);
  if (there !== undefined && fits(source, await said(there, source.says))) {
    // A link that leads nowhere any more is as good as none.
    rmSync(target, { force: true });
    symlinkSync(there, target);
    report(`${name}: taking ${there}`);
    return true;
  }
  return source.package !== undefined && takePackage({ ...source, package: source.package }, target, report);
};

const takePackage = async (
  source: Source & { readonly package: string },
  target: string,
  report: Report,
): Promise<boolean> => {
  const { Candidate: candidate = '' } = fieldsOf(await said('apt-cache', ['policy', source.package]));
  if (!fits(source, candidate)) return false;
  const folder = mkdtempSync(join(tmpdir(), 'kpackless-deb-'));
  try {
    // apt checks the archive's signature and the file's hash.
    await run('apt-get', ['-qq', 'download', `${source.package}=${candidate}`], { cwd: folder, timeout: 300_000 });
    await run('sh', ['-c', 'dpkg-deb -x ./*.deb .'], { cwd: folder });
    const program = join(folder, 'usr', 'bin', source.program);
    if (!fits(source, await said(program, source.says))) return false;
    const unfinished = `${target}.${process.pid}.unfinished`;
    // The cache may be another file system.
    await run('cp', [program, unfinished]);
    renameSync(unfinished, target);
    report(`${source.program} ${candidate}: taken from Debian`);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** `apt-cache policy`: `  Candidate: 2.8.2+ds1-1`. */
const fieldsOf = (text: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    text
      .split('\n')
      .map((line) => line.trim().split(': '))
      .flatMap(([name, value]) => (name === undefined || value === undefined ? [] : [[name, value]])),
  );
