/**
 * How fast one cluster's API is asked by this process: a token bucket whose rate gives way to refusals (429) and comes back slowly (DESIGN §3.33).
 * Additive increase, multiplicative decrease by the part that was refused, as DCTCP does it (RFC 8257 §3.3): one refusal among a hundred is
 * hardly felt, a server that refuses everything is left half as many requests each second. Pure, with time as an argument.
 */

/** Requests a second, and how many more at once after a rest. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** More than one process can ask: only refusals slow it, unless the registration says otherwise. */
export const usualRate: Rate = { perSecond: 2000, burst: 2000 };

const windowMilliseconds = 1000;
/** Parts of the full rate: what is won back each second, what is never gone below, and where the first refusal finds who was asking less. */
const recovery = 1 / 100;
const least = 1 / 200;
const startsFrom = 1 / 10;

/** The bucket of one cluster. Times are milliseconds. */
export class Pace {
  readonly #full: Rate;
  #perSecond: number;
  #tokens: number;
  #filledAt: number;
  /** Since when requests and refusals are counted. */
  #from: number;
  #requests = 0;
  #refused = 0;

  constructor(full: Rate, now: number) {
    this.#full = full;
    this.#perSecond = full.perSecond;
    this.#tokens = full.burst;
    this.#filledAt = now;
    this.#from = now;
  }

  /** Requests a second that are sent now at most. */
  get perSecond(): number {
    return this.#perSecond;
  }

  /** Takes a place; gives the milliseconds until it may be used. */
  enter(now: number): number {
    this.#fill(now);
    this.#requests += 1;
    this.#tokens -= 1;
    return this.#tokens >= 0 ? 0 : Math.ceil((-this.#tokens / this.#perSecond) * 1000);
  }

  /** Gives back a place that was taken and not used. */
  leave(): void {
    this.#requests -= 1;
    this.#tokens += 1;
  }

  /** A request was answered 429. */
  refused(): void {
    this.#refused += 1;
  }

  #fill(now: number): void {
    if (now - this.#from >= windowMilliseconds) this.#adapt(now);
    const { perSecond, burst } = this.#full;
    // Whoever was refused may not save up more than a second's worth.
    const room = this.#perSecond < perSecond ? Math.min(burst, Math.max(1, this.#perSecond)) : burst;
    const passed = Math.max(0, now - this.#filledAt) / 1000;
    this.#tokens = Math.min(room, this.#tokens + passed * this.#perSecond);
    this.#filledAt = now;
  }

  #adapt(now: number): void {
    const { perSecond: full } = this.#full;
    const seconds = (now - this.#from) / 1000;
    const share = Math.min(1, this.#refused / Math.max(1, this.#requests));
    const asked = Math.max(this.#requests / seconds, full * startsFrom);
    // What was not made use of says nothing about what the server takes.
    const before = share > 0 && this.#perSecond === full ? Math.min(full, asked) : this.#perSecond;
    const won = full * recovery * (share > 0 ? 1 - share : seconds);
    this.#perSecond = Math.min(full, Math.max(1, full * least, before * (1 - share / 2) + won));
    this.#from = now;
    this.#requests = 0;
    this.#refused = 0;
  }
}
