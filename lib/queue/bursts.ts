/** How much one tenant may do at once: some, and then so many a second. Time is an argument; milliseconds. */

/** A save of many objects by one person, and the steps of one build. */
const burst = 20;
const perSecond = 2;
/** After so long a tenant may burst again: nothing need be remembered of it. */
const forgottenMilliseconds = (burst / perSecond) * 1000;
/** Tenants are forgotten before their time beyond this number: they may burst again. */
const mostRemembered = 10_000;

interface Bucket {
  readonly left: number;
  readonly at: number;
}

/** The bursts of one cluster. Memory is bounded, each call takes constant time. */
export class Bursts {
  /** The one that was asked for last is the last. */
  readonly #buckets = new Map<string, Bucket>();

  /** Whether `who` may do one more now; counts it. */
  take(who: string, now: number): boolean {
    const { left, at } = this.#buckets.get(who) ?? { left: burst, at: now };
    const filled = Math.min(burst, left + (Math.max(0, now - at) / 1000) * perSecond);
    const may = filled >= 1;
    this.#buckets.delete(who);
    this.#buckets.set(who, { left: may ? filled - 1 : filled, at: now });
    this.#forget(now);
    return may;
  }

  #forget(now: number): void {
    for (const [who, { at }] of this.#buckets) {
      if (now - at < forgottenMilliseconds && this.#buckets.size <= mostRemembered) return;
      this.#buckets.delete(who);
    }
  }

  /** How many are remembered. */
  get size(): number {
    return this.#buckets.size;
  }
}
