/** A process that can die after any of its writes: whatever it does afterwards comes to nothing, until it is started again. */

/** The process is gone. */
export class Died extends Error {
  override readonly name = 'Died';
}

/** One life after another. */
export class Death {
  #writesLeft = Number.POSITIVE_INFINITY;
  #lastWrite: string | undefined;
  #isDead = false;
  /** What was written since the start, in order, by all lives. */
  readonly written: string[] = [];

  get isDead(): boolean {
    return this.#isDead;
  }

  /** Dies when its n-th write from now has been carried out and before it hears of that. */
  afterWrites(n: number): void {
    this.#writesLeft = n;
  }

  /** Dies when it has carried out that write, as `status Image` or `DeleteItemCommand`. */
  after(what: string): void {
    this.#lastWrite = what;
  }

  /** A new process: nothing is remembered but what was written. */
  startAgain(): void {
    this.#isDead = false;
    this.#lastWrite = undefined;
    this.#writesLeft = Number.POSITIVE_INFINITY;
  }

  /** Does `call` for the process; `what` names it when it is a write. */
  async through<T>(what: string | undefined, call: () => Promise<T>): Promise<T> {
    if (this.#isDead) throw new Died('the process is dead');
    const result = await call();
    if (what === undefined) return result;
    this.written.push(what);
    this.#writesLeft -= 1;
    if (this.#writesLeft > 0 && what !== this.#lastWrite) return result;
    this.#isDead = true;
    throw new Died(`the process died after ${what}`);
  }
}
