/** How much a source archive may become on disk, so that a small download cannot fill a node. */
import { PermanentError } from '../../errors/expected.ts';

export interface ArchiveLimits {
  readonly maxEntries: number;
  /** Bytes of all files together. */
  readonly maxBytes: number;
  /** Times the compressed size; looked at only above `ratioFreeBytes`. */
  readonly maxRatio: number;
}

/** Below this an archive may compress as well as it likes. */
const ratioFreeBytes = 256 << 20;

/** Generous for real sources (100,000 files of dependencies are common), fatal for bombs. */
const defaultLimits: ArchiveLimits = { maxEntries: 1_000_000, maxBytes: 16 * 1024 ** 3, maxRatio: 200 };

/** So many times what it may become may an archive be when it is decompressed: read once or twice, with padding and what is passed over. */
const archiveFactor = 4;
/** And so much in any case. */
const archiveFreeBytes = 64 << 20;

/** Counts what an extraction writes. @throws PermanentError as soon as a limit is passed, before more is written. */
export class ExtractionBudget {
  readonly #limits: ArchiveLimits;
  readonly #compressedBytes: number;
  #entries = 0;
  #bytes = 0;
  #archiveBytes = 0;

  /** @param compressedBytes size of the archive as downloaded. */
  constructor(compressedBytes: number, limits: ArchiveLimits = defaultLimits) {
    this.#compressedBytes = compressedBytes;
    this.#limits = limits;
  }

  entry(): void {
    this.#entries += 1;
    if (this.#entries > this.#limits.maxEntries) throw tooLarge(`more than ${this.#limits.maxEntries} entries`);
  }

  /** Bytes of the decompressed archive itself: what is passed over takes time as well. */
  archive(count: number): void {
    this.#archiveBytes += count;
    const most = archiveFreeBytes + archiveFactor * this.#limits.maxBytes;
    if (this.#archiveBytes > most) throw tooLarge(`more than ${most} bytes of archive`);
  }

  bytes(count: number): void {
    this.#bytes += count;
    if (this.#bytes > this.#limits.maxBytes) throw tooLarge(`more than ${this.#limits.maxBytes} bytes`);
    if (this.#bytes > ratioFreeBytes && this.#bytes > this.#compressedBytes * this.#limits.maxRatio) {
      throw tooLarge(`more than ${this.#limits.maxRatio} times its compressed size`);
    }
  }
}

function tooLarge(what: string): PermanentError {
  return new PermanentError('ArchiveTooLarge', `the source archive unpacks to ${what}; it is refused`);
}
