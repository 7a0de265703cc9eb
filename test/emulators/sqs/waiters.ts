/** Long polls: receives that found nothing wait here until something changes, a sleeper wakes, or their time is up. */

import type { Clock } from './clock.ts';

interface Waiter {
  readonly deadline: number;
  /** Looks again; true when it has its answer. */
  readonly look: (last: boolean) => boolean;
}

/** First come, first served. Costs nothing while nobody waits. */
export class Waiters {
  readonly #clock: Clock;
  readonly #nextWakeAt: () => number | undefined;
  readonly #waiting = new Set<Waiter>();
  #scheduled = false;
  #cancelAlarm: () => void = () => {};

  constructor(clock: Clock, nextWakeAt: () => number | undefined) {
    this.#clock = clock;
    this.#nextWakeAt = nextWakeAt;
  }

  /**
   * Repeats `attempt` until it answers or `deadline` (milliseconds since the epoch) has come; undefined when it never did. An
   * aborted wait takes nothing: nobody is left to process what it would receive.
   */
  async first<T>(
    attempt: () => T | undefined,
    deadline: number,
    signal: AbortSignal | undefined,
  ): Promise<T | undefined> {
    if (signal?.aborted === true) return undefined;
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.delete(waiter);
        signal?.removeEventListener('abort', leave);
        resolve(undefined);
      };
      const waiter: Waiter = {
        deadline,
        look: (last) => {
          try {
            const answer = attempt();
            if (answer === undefined && !last) return false;
            signal?.removeEventListener('abort', leave);
            resolve(answer);
          } catch (error) {
            reject(error);
          }
          return true;
        },
      };
      signal?.addEventListener('abort', leave);
      this.#waiting.add(waiter);
      this.#arm();
    });
  }

  /** Something changed. Everybody looks again, once, after the present operation has finished. */
  wake(): void {
    if (this.#scheduled || this.#waiting.size === 0) return;
    this.#scheduled = true;
    queueMicrotask(() => this.#serve());
  }

  /** Answers everybody with nothing. */
  close(): void {
    this.#cancelAlarm();
    for (const waiter of this.#waiting) waiter.look(true);
    this.#waiting.clear();
  }

  #serve(): void {
    const now = this.#clock.now();
    for (const waiter of this.#waiting) {
      if (waiter.look(waiter.deadline <= now)) this.#waiting.delete(waiter);
    }
    this.#scheduled = false;
    this.#arm();
  }

  #arm(): void {
    this.#cancelAlarm();
    if (this.#waiting.size === 0) return;
    const deadlines = [...this.#waiting].map(({ deadline }) => deadline);
    const next = Math.min(this.#nextWakeAt() ?? Number.POSITIVE_INFINITY, ...deadlines);
    this.#cancelAlarm = this.#clock.at(next, () => this.#serve());
  }
}
