/**
 * A transport that does not give up a call for what passes: it sends at the cluster's pace, and makes a call again that was refused for load or got
 * no answer, for as long as its pass has time (DESIGN §3.33). It also knows whether a call that failed in the end failed alone.
 */
import { KubeError, saysClusterIsDown, withOthersAnswered } from './errors.ts';
import { Pace, type Rate } from './pace.ts';
import { retryAfterMilliseconds } from './patience.ts';
import { sleep } from './sleep.ts';
import { type KubeRequest, type KubeTransport, transportWith } from './transport.ts';

/** What happened at one cluster since it was last told: counts, and milliseconds that calls waited in all. */
export interface Waits {
  /** Answers 429. */
  readonly refused: number;
  /** Calls made again, whyever. */
  readonly repeated: number;
  readonly waitedMilliseconds: number;
  /** Requests a second that are sent at most, from now on. */
  readonly perSecond: number;
}

/** What patience needs from outside. */
export interface PatiencePorts {
  readonly clock: () => Date;
  readonly random: () => number;
  /** Hears of waits: at a call after them, at most each ten seconds. */
  waited(waits: Waits): void;
}

const toldMilliseconds = 10_000;
/** Who has answered nobody for so long counts as down; a pass comes again twice in that time (lib/queue/comes-again.ts). */
const silentMilliseconds = 2000;
const nothing = { refused: 0, repeated: 0, waitedMilliseconds: 0 };

const isOver = ({ signal }: KubeRequest): boolean => signal?.aborted === true;

/** What a process knows of its calls of one cluster; it outlives connections. */
export class Patience {
  readonly #ports: PatiencePorts;
  readonly #pace: Pace;
  /** When the cluster last answered anybody in a way that says that it is there. */
  #answeredAt = Number.NEGATIVE_INFINITY;
  #waits = { ...nothing };
  #toldAt: number;

  constructor(rate: Rate, ports: PatiencePorts) {
    this.#ports = ports;
    this.#toldAt = this.#now();
    this.#pace = new Pace(rate, this.#toldAt);
  }

  /** `transport`, patiently. */
  around(transport: KubeTransport): KubeTransport {
    return transportWith(transport, {
      send: (request) => this.#patiently(request, transport, () => transport.send(request)),
      stream: (request) => this.#patiently(request, transport, () => transport.stream(request)),
    });
  }

  #now(): number {
    return this.#ports.clock().getTime();
  }

  async #patiently<T>(request: KubeRequest, { server }: KubeTransport, call: () => Promise<T>): Promise<T> {
    const startedAt = this.#now();
    for (let tries = 1; ; tries += 1) {
      await this.#turn(request, server);
      try {
        const answer = await call();
        this.#answeredAt = this.#now();
        return answer;
      } catch (error) {
        const remainingMilliseconds = (request.until ?? Number.POSITIVE_INFINITY) - this.#now();
        this.#hear(error);
        const wait = retryAfterMilliseconds(error, { tries, remainingMilliseconds }, this.#ports.random());
        if (wait === undefined || isOver(request)) throw this.#judged(error, startedAt);
        this.#waits.repeated += 1;
        await this.#wait(wait, request.signal);
        if (isOver(request)) throw error;
      }
    }
  }

  /** Waits for a place. @throws KubeError `throttled` when there is none within the pass */
  async #turn(request: KubeRequest, server: string): Promise<void> {
    const now = this.#now();
    const wait = this.#pace.enter(now);
    if (wait > 0 && now + wait > (request.until ?? Number.POSITIVE_INFINITY)) {
      this.#pace.leave();
      const what = `${request.method} ${request.path}: too many requests wait for ${server}`;
      throw new KubeError('throttled', what, { retryAfterSeconds: Math.ceil(wait / 1000) });
    }
    if (wait > 0) await this.#wait(wait, request.signal);
    this.#tell(now);
  }

  async #wait(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
    const from = this.#now();
    await sleep(milliseconds, signal);
    this.#waits.waitedMilliseconds += this.#now() - from;
  }

  #hear(error: unknown): void {
    if (error instanceof KubeError && error.code === 'throttled') {
      this.#waits.refused += 1;
      this.#pace.refused();
    }
    if (!saysClusterIsDown(error)) this.#answeredAt = this.#now();
  }

  /** What failed while others were answered, or moments after, says nothing about the cluster. */
  #judged(error: unknown, startedAt: number): unknown {
    const isThere = this.#answeredAt >= Math.min(startedAt, this.#now() - silentMilliseconds);
    return isThere && saysClusterIsDown(error) ? withOthersAnswered(error) : error;
  }

  #tell(now: number): void {
    if (now - this.#toldAt < toldMilliseconds || (this.#waits.repeated === 0 && this.#waits.waitedMilliseconds === 0))
      return;
    this.#ports.waited({ ...this.#waits, perSecond: Math.round(this.#pace.perSecond) });
    this.#waits = { ...nothing };
    this.#toldAt = now;
  }
}
