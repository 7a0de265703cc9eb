/** Go's own reading of archives, which is kpack's: a program compiled from oracle-archives.go. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { goFile } from './oracle-install.ts';
import type { Listing } from './unpacked.ts';

/** One entry as Go read it; files by the hash of their content. */
export interface GoEntry {
  /** In hex. */
  readonly name: string;
  readonly folder: boolean;
  readonly size: number;
  readonly sha256: string;
}

/** What Go read of an archive, and what it said when it did not come to its end; empty when it did. */
export interface GoListing {
  readonly entries: readonly GoEntry[];
  readonly error: string;
}

/** Compiled once; rejects where there is no Go. */
export const archivesAsGo = async (): Promise<(files: readonly string[]) => Promise<readonly GoListing[]>> => {
  const program = await goFile('oracle-archives.go');
  return async (files) => {
    const asked = promisify(execFile)(program, [], { maxBuffer: 64 << 20, timeout: 60_000 });
    asked.child.stdin?.end(files.map((file) => `${file}\n`).join(''));
    const { stdout } = await asked;
    return stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as GoListing);
  };
};

/** What kpack would make of these entries, files by size and hash: the later of a name counts. Undefined where a name leads out of the folder. */
export const asGoWrites = ({ entries }: GoListing): Listing | undefined => {
  const found = new Map<string, string>();
  for (const { name, folder: isMarked, size, sha256 } of entries) {
    // So GNU tar has it; kpack fails.
    const folder = isMarked || (size === 0 && name.endsWith('2f'));
    const parts = Buffer.from(name, 'hex')
      .toString('latin1')
      .split('/')
      .filter((part) => part !== '' && part !== '.');
    if (parts.includes('..')) return undefined;
    for (let depth = 1; depth < parts.length + (folder ? 1 : 0); depth += 1)
      found.set(`${parts.slice(0, depth).join('/')}/`, '');
    if (folder) found.delete(parts.join('/'));
    else found.set(parts.join('/'), `${size}:${sha256}`);
  }
  return Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
};
