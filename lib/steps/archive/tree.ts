/**
 * Writes directories and regular files below one folder, and nothing else. Synchronously: the step has nothing else to do, and a hundred
 * thousand small files take a third of the time.
 */
import { chmodSync, closeSync, constants, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isSystemError } from '../step.ts';
import type { ExtractionBudget } from './limits.ts';

/** A folder being filled from an archive. Only directories and files are ever made in it, so no path below it can lead out of it. */
export class Tree {
  readonly #root: string;
  readonly #budget: ExtractionBudget;
  readonly #made = new Set<string>(['.']);

  constructor(root: string, budget: ExtractionBudget) {
    this.#root = root;
    this.#budget = budget;
  }

  /** The owner keeps access whatever the archive says, or the next entry could not be written. */
  directory(path: string, mode: number): void {
    this.#budget.entry();
    this.#parents(path);
    chmodSync(join(this.#root, path), (mode & 0o777) | 0o700);
  }

  /** Existing files are replaced; set-id and sticky bits are dropped. */
  async file(path: string, mode: number, content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
    this.#budget.entry();
    this.#parents(dirname(path));
    const handle = createdAnew(join(this.#root, path), mode & 0o777);
    try {
      for await (const chunk of content) {
        this.#budget.bytes(chunk.byteLength);
        for (let done = 0; done < chunk.byteLength; ) done += writeSync(handle, chunk, done);
      }
    } finally {
      closeSync(handle);
    }
  }

  #parents(path: string): void {
    if (this.#made.has(path)) return;
    mkdirSync(join(this.#root, path), { recursive: true, mode: 0o777 });
    this.#made.add(path);
  }
}

function createdAnew(target: string, mode: number): number {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  try {
    return openSync(target, flags, mode);
  } catch (error) {
    if (!isSystemError(error, 'EEXIST')) throw error;
    rmSync(target);
    return openSync(target, flags, mode);
  }
}
