/** Writes directories and regular files below one folder, and nothing else. */
import { constants } from 'node:fs';
import { chmod, mkdir, open, rm } from 'node:fs/promises';
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
  async directory(path: string, mode: number): Promise<void> {
    this.#budget.entry();
    await this.#parents(path);
    await chmod(join(this.#root, path), (mode & 0o777) | 0o700);
  }

  /** Existing files are replaced; set-id and sticky bits are dropped. */
  async file(path: string, mode: number, content: AsyncIterable<Uint8Array>): Promise<void> {
    this.#budget.entry();
    await this.#parents(dirname(path));
    const target = join(this.#root, path);
    const handle = await createdAnew(target, mode & 0o777);
    try {
      for await (const chunk of content) {
        this.#budget.bytes(chunk.byteLength);
        await handle.write(chunk);
      }
    } finally {
      await handle.close();
    }
  }

  async #parents(path: string): Promise<void> {
    if (this.#made.has(path)) return;
    await mkdir(join(this.#root, path), { recursive: true, mode: 0o777 });
    this.#made.add(path);
  }
}

async function createdAnew(target: string, mode: number): ReturnType<typeof open> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  try {
    return await open(target, flags, mode);
  } catch (error) {
    if (!isSystemError(error, 'EEXIST')) throw error;
    await rm(target);
    return await open(target, flags, mode);
  }
}
