/**
 * An account's concurrent executions in virtual time. An invocation that finds no room is throttled: Lambda tries it again until the messages of its
 * batch are visible again, and then lets go of them, by which each has lost a receive (Lambda developer guide, "Handling errors for an SQS event source").
 */
import type { KindRow } from '../../lib/reconcile/kind-table.ts';
import { visibilitySeconds } from '../../lib/reconcile/kind-table.ts';
import type { VirtualTime } from './virtual-time.ts';

/** Lambda does not say how soon it tries again; these are slow. */
const firstPauseMs = 250;
const longestPauseMs = 10_000;

/** Executions at once, and what became of who wanted one. */
export class VirtualAccount {
  readonly #time: VirtualTime;
  /** Executions that there is room for now. */
  limit: number;
  #running = 0;
  #seed = 1;
  /** Invocations that were put off at least once. */
  throttled = 0;
  /** Batches that were let go of: a receive lost for each of their messages. */
  lost = 0;

  constructor(time: VirtualTime, limit: number) {
    this.#time = time;
    this.limit = limit;
  }

  /** Runs `work` as one execution. @throws Error when there was no room until the batch was visible again */
  async execute<T>(row: KindRow, work: () => Promise<T>): Promise<T> {
    const until = this.#time.now + visibilitySeconds(row) * 1000;
    let pause = firstPauseMs;
    if (this.#running >= this.limit) this.throttled += 1;
    while (this.#running >= this.limit) {
      await this.#time.sleep(Math.round(pause * (0.5 + this.#random())));
      pause = Math.min(longestPauseMs, pause * 2);
      if (this.#time.now < until) continue;
      this.lost += 1;
      throw new Error('throttled until the batch was visible again');
    }
    this.#running += 1;
    try {
      return await work();
    } finally {
      this.#running -= 1;
    }
  }

  /** The same in every run (a linear congruential generator, Numerical Recipes). */
  #random(): number {
    this.#seed = (this.#seed * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return this.#seed / 2 ** 32;
  }
}
