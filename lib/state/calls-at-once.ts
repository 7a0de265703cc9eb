/**
 * Calls of one service, so many at once and no more. Whoever starts a call's clock does it inside `run`: then a deadline counts from the moment
 * of sending, and never what a call has waited for its place.
 */
export class CallsAtOnce {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(most: number) {
    this.#free = most;
  }

  /** Makes the call when there is a place, in the order of asking. */
  async run<T>(call: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await call();
    } finally {
      // The place goes straight to who waits for longest: nobody who comes now is before him.
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}
