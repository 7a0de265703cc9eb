/** What became of an archive: the folder that it was unpacked into, as a list that tests can compare. */
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ArchiveLimits } from '../../lib/steps/archive/limits.ts';
import { archiveKind, unpackArchive } from '../../lib/steps/archive/unpack.ts';

/** Path → content of a file, `/` behind the path of a folder → nothing. Paths and contents are bytes, a character for each. */
export type Listing = Readonly<Record<string, string>>;

/** Contents longer than this are told by their hash. */
const shownBytes = 4096;

/** Everything below a folder; what is neither file nor folder fails. @param show how contents are told */
export const listing = (root: string, show: (bytes: Buffer) => string = shownContent): Listing => {
  const found: [string, string][] = [];
  const visit = (path: string): void => {
    const here = Buffer.from(`${Buffer.from(root).toString('latin1')}/${path}`, 'latin1');
    for (const name of readdirSync(here, { encoding: 'latin1' })) {
      const child = `${path}${name}`;
      const at = Buffer.concat([here, Buffer.from(name, 'latin1')]);
      const stats = lstatSync(at);
      if (stats.isDirectory()) {
        found.push([`${child}/`, '']);
        visit(`${child}/`);
      } else if (stats.isFile()) found.push([child, show(readFileSync(at))]);
      else throw new Error(`${child} is neither file nor folder`);
    }
  };
  visit('');
  return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)));
};

/** As listings show it. */
export const shownContent = (bytes: Buffer): string =>
  bytes.length <= shownBytes ? bytes.toString('latin1') : hashedContent(bytes);

/** By size and hash alone. */
export const hashedContent = (bytes: Buffer): string =>
  `${bytes.length}:${createHash('sha256').update(bytes).digest('hex')}`;

/** A folder for archives and what they become; gone after its dispose. */
export interface Bench extends AsyncDisposable {
  readonly root: string;
  readonly into: string;
  /** Unpacks the bytes into an empty folder, and lists it. */
  readonly unpack: (
    bytes: Uint8Array,
    options?: { readonly strip?: number; readonly limits?: ArchiveLimits },
  ) => Promise<Listing>;
  /** The same of a file. */
  readonly unpackFile: (
    file: string,
    options?: { readonly strip?: number; readonly limits?: ArchiveLimits },
  ) => Promise<Listing>;
  /** The error's message; fails when there is none, and when anything is left behind. */
  readonly refusal: (
    bytes: Uint8Array,
    options?: { readonly strip?: number; readonly limits?: ArchiveLimits },
  ) => Promise<string>;
}

/** A fresh one. */
export const archiveBench = async (): Promise<Bench> => {
  const root = await mkdtemp(join(tmpdir(), 'kpackless-archives-'));
  const into = join(root, 'out');
  const unpackFile: Bench['unpackFile'] = async (file, options = {}) => {
    await rm(into, { recursive: true, force: true });
    await mkdir(into);
    await unpackArchive(file, await archiveKind(file), { into, ...options });
    return listing(into);
  };
  const unpack: Bench['unpack'] = async (bytes, options) => {
    const file = join(root, 'archive');
    await writeFile(file, bytes);
    return unpackFile(file, options);
  };
  return {
    root,
    into,
    unpack,
    unpackFile,
    refusal: async (bytes, options) => {
      const error = await unpack(bytes, options).then(
        (found) => new Error(`unpacked to ${JSON.stringify(found)}`),
        (reason: unknown) => reason as Error,
      );
      const left = Object.keys(listing(into));
      return left.length === 0 ? `${error.name}: ${error.message}` : `left ${left.join(', ')}`;
    },
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
};
