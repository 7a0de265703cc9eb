/** What ends a request before its answer has come: its own deadline, or whoever asked (DESIGN §3.14). */

/** A stream that can be ended with a reason: a request, then its response. */
interface Endable {
  destroy(error: Error): unknown;
}

/**
 * The end of one exchange. One timer and one listener: `AbortSignal.any` and the `signal` of node:http take as much processor time as all the
 * rest of a small request.
 */
export class Ending {
  readonly #timer: NodeJS.Timeout;
  readonly #signal: AbortSignal | undefined;
  readonly #aborted = (): void => this.#end(Object.assign(new Error('the caller gave up'), { name: 'AbortError' }));
  #held: Endable | undefined;
  #why: Error | undefined;

  /** Ends what is held after so long, or when `signal` aborts. */
  constructor(milliseconds: number, signal: AbortSignal | undefined) {
    this.#signal = signal;
    this.#timer = setTimeout(
      () => this.#end(Object.assign(new Error('the time is over'), { name: 'TimeoutError' })),
      milliseconds,
    );
    if (signal?.aborted === true) this.#aborted();
    else signal?.addEventListener('abort', this.#aborted, { once: true });
  }

  /** Why it has ended; undefined while it has not. Its name is `TimeoutError` or `AbortError`. */
  get why(): Error | undefined {
    return this.#why;
  }

  /** From now on this is what is under way. */
  hold(stream: Endable): void {
    this.#held = stream;
    if (this.#why !== undefined) stream.destroy(this.#why);
  }

  /** The exchange is over by itself: nothing is left behind. */
  over(): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#aborted);
    this.#held = undefined;
  }

  #end(why: Error): void {
    this.#why ??= why;
    this.#held?.destroy(this.#why);
  }
}
