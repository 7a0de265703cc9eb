/**
 * Writes directories and regular files below one folder, and nothing else. Synchronously: the step has nothing else to do, and a hundred
 * thousand small files take a third of the time. Paths are bytes (faults.ts), relative to the folder, as entryPath gives them.
 */
import {
  chmodSync,
  closeSync,
  constants,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmdirSync,
  rmSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { isSystemError } from '../step.ts';
import { unsafeEntry } from './faults.ts';
import type { ExtractionBudget } from './limits.ts';

/** A folder being filled from an archive. Only directories and files are ever made in it, so no path below it can lead out of it. */
export class Tree {
  readonly #root: string;
  readonly #budget: ExtractionBudget;
  readonly #folders = new Set<string>(['']);
  /** What was made in the folder itself. */
  readonly #tops = new Set<string>();

  /** @param root made if it is not there. */
  constructor(root: string, budget: ExtractionBudget) {
    mkdirSync(root, { recursive: true });
    this.#root = Buffer.from(root).toString('latin1');
    this.#budget = budget;
  }

  /** The archive's bytes on their way to what it fills, counted. */
  async *counted(archive: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of archive) {
      this.#budget.archive(piece.byteLength);
      yield piece;
    }
  }

  /** A file of that name gives way. The owner keeps access whatever the archive says, or the next entry could not be written. */
  directory(path: string, mode: number): void {
    this.#budget.entry();
    this.#made(path, () => {
      if (this.#kindOf(path) === 'other') unlinkSync(this.#at(path));
      this.#folder(path);
      chmodSync(this.#at(path), (mode & 0o777) | 0o700);
    });
  }

  /**
   * A new file that will have so many bytes, to be written and closed. One of that name is replaced, and so is an empty folder; set-id and sticky
   * bits are dropped.
   */
  file(path: string, mode: number, size: number): OpenFile {
    this.#budget.entry();
    this.#budget.bytes(size);
    return this.#made(path, () => {
      this.#folder(parentOf(path));
      const file = new OpenFile(this.#anew(path, mode & 0o777), size);
      if (!path.includes('/')) this.#tops.add(path);
      return file;
    });
  }

  /** Whatever has this path, with all that is below it, is there no more. */
  remove(path: string): void {
    if (this.#kindOf(path) === undefined) return;
    rmSync(this.#at(path), { recursive: true });
    this.#forgetFolders();
  }

  /** Removes what is in a folder, and keeps the folder. */
  removeBelow(path: string): void {
    if (this.#kindOf(path) !== 'folder') return;
    for (const name of readdirSync(this.#at(path), { encoding: 'latin1' })) {
      rmSync(this.#at(path === '' ? name : `${path}/${name}`), { recursive: true });
    }
    this.#forgetFolders();
  }

  /** Removes what is not a folder: where a folder, a link or something else that is left out takes its place. */
  removeFile(path: string): void {
    if (this.#kindOf(path) === 'other') unlinkSync(this.#at(path));
  }

  /** Removes everything that was made: nobody is to build what came half. */
  discard(): void {
    for (const top of this.#tops) rmSync(this.#at(top), { recursive: true, force: true });
    this.#tops.clear();
    this.#forgetFolders();
  }

  #at(path: string): Buffer {
    return Buffer.from(path === '' ? this.#root : `${this.#root}/${path}`, 'latin1');
  }

  #forgetFolders(): void {
    this.#folders.clear();
    this.#folders.add('');
  }

  /** Undefined for nothing, which is also what stands below a file. */
  #kindOf(path: string): 'folder' | 'other' | undefined {
    try {
      const found = lstatSync(this.#at(path), { throwIfNoEntry: false });
      if (found === undefined) return undefined;
      return found.isDirectory() ? 'folder' : 'other';
    } catch (error) {
      if (isSystemError(error, 'ENOTDIR') || isSystemError(error, 'ENAMETOOLONG')) return undefined;
      throw error;
    }
  }

  /** Makes the folder with all above it. What is there already is looked at: nothing is written through a link. */
  #folder(path: string): void {
    if (this.#folders.has(path)) return;
    this.#folder(parentOf(path));
    try {
      mkdirSync(this.#at(path), { mode: 0o777 });
      if (!path.includes('/')) this.#tops.add(path);
    } catch (error) {
      if (!isSystemError(error, 'EEXIST')) throw error;
      if (this.#kindOf(path) !== 'folder') throw unsafeEntry(path, 'is a file and a folder in one (ENOTDIR)');
    }
    this.#folders.add(path);
  }

  #anew(path: string, mode: number): number {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    try {
      return openSync(this.#at(path), flags, mode);
    } catch (error) {
      if (!isSystemError(error, 'EEXIST')) throw error;
    }
    if (this.#kindOf(path) === 'folder') {
      rmdirSync(this.#at(path));
      this.#folders.delete(path);
    } else {
      unlinkSync(this.#at(path));
    }
    return openSync(this.#at(path), flags, mode);
  }

  /** What the disk says of a name is the archive's fault; that it is full is not. */
  #made<T>(path: string, make: () => T): T {
    try {
      return make();
    } catch (error) {
      const why = isSystemError(error) ? faultsOfNames[error.code ?? ''] : undefined;
      if (why === undefined) throw error;
      throw unsafeEntry(path, why);
    }
  }
}

const faultsOfNames: Readonly<Record<string, string>> = {
  ENAMETOOLONG: 'has a name that is too long for the disk (ENAMETOOLONG)',
  EILSEQ: 'has a name whose bytes the disk does not take (EILSEQ)',
  EINVAL: 'has a name that the disk does not take (EINVAL)',
  ENOTDIR: 'is below a file (ENOTDIR)',
  ENOTEMPTY: 'is a file in the place of a folder that is not empty (ENOTEMPTY)',
  EISDIR: 'is a file in the place of a folder (EISDIR)',
};

const parentOf = (path: string): string => path.slice(0, Math.max(path.lastIndexOf('/'), 0));

/** A file being written. What nobody writes stays a hole, which takes no room on the disk and reads as zeros. */
export class OpenFile {
  readonly #handle: number;
  readonly #size: number;
  #end = 0;

  constructor(handle: number, size: number) {
    this.#handle = handle;
    this.#size = size;
  }

  write(bytes: Uint8Array, at: number): void {
    for (let done = 0; done < bytes.byteLength; ) {
      done += writeSync(this.#handle, bytes, done, bytes.byteLength - done, at + done);
    }
    this.#end = Math.max(this.#end, at + bytes.byteLength);
  }

  /** Gives the file its length, and closes it. */
  finish(): void {
    try {
      if (this.#end < this.#size) ftruncateSync(this.#handle, this.#size);
    } finally {
      closeSync(this.#handle);
    }
  }

  /** Closes a file that is not to be kept. */
  abandon(): void {
    closeSync(this.#handle);
  }
}
