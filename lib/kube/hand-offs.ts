/** Hand-offs under way: several at once, and yet each counts as done only when all before it are (DESIGN §3.11). */

interface HandOff {
  readonly bytes: number;
  readonly settled: Promise<void>;
}

/** Hand-offs of one stream, in its order. */
export class HandOffs {
  readonly #under: HandOff[] = [];
  readonly #mostBytes: number;
  readonly #failed: (error: unknown) => void;
  #bytes = 0;
  #last: Promise<void> = Promise.resolve();

  /** At most `mostBytes` of the stream are under way at once. `failed` hears of what was not accepted, at once. */
  constructor(mostBytes: number, failed: (error: unknown) => void) {
    this.#mostBytes = mostBytes;
    this.#failed = failed;
  }

  /**
   * One more, of so many bytes. `done` is called when it and all before it were accepted, never after one that was not. Resolves when there is
   * room for the next. @throws what a hand-off before it that was not accepted threw
   */
  async add(bytes: number, accepted: Promise<void>, done: () => void | Promise<void>): Promise<void> {
    const before = this.#last;
    const inTurn = async (): Promise<void> => {
      await Promise.all([before, accepted]);
      await done();
    };
    const settled = inTurn();
    this.#last = settled;
    settled.catch(this.#failed);
    this.#under.push({ bytes, settled });
    this.#bytes += bytes;
    while (this.#bytes > this.#mostBytes) await this.#oldest();
  }

  /** Resolves when all are done. @throws what the first that was not accepted threw */
  all(): Promise<void> {
    return this.#last;
  }

  async #oldest(): Promise<void> {
    const oldest = this.#under.shift();
    if (oldest === undefined) return;
    await oldest.settled;
    this.#bytes -= oldest.bytes;
  }
}
