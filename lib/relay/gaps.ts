/**
 * Kinds of which events may have been missed. A server that was restarted makes every watch list anew within seconds: it is told of
 * them together, so that whoever owns objects of several of them is woken once.
 */
import { sleep } from '../kube/sleep.ts';

/** What telling needs. */
export interface GapPorts {
  /** Resolves when it has been accepted by the queues. */
  tell(kinds: readonly string[]): Promise<void>;
  warn(why: unknown): void;
}

/** For so long further kinds are waited for, and after a telling that failed. */
const togetherMilliseconds = 2000;

/** The gaps of one cluster that are to be told of. */
export class Gaps {
  readonly #ports: GapPorts;
  readonly #signal: AbortSignal;
  /** What is to be done when each was told of. What is missed again while it is told of stays: each time is another function. */
  readonly #missed = new Map<string, () => void>();
  #isTelling = false;

  /** Tells until `signal` aborts. */
  constructor(ports: GapPorts, signal: AbortSignal) {
    this.#ports = ports;
    this.#signal = signal;
  }

  /** Events of `kind` may have been missed; all that exists has been listed. `told` is called when that is known to the functions. */
  missed(kind: string, told: () => void = () => undefined): void {
    this.#missed.set(kind, () => told());
    if (!this.#isTelling) void this.#tellAll();
  }

  /** Whether nothing of `kind` is still to be told. Before that its checkpoint must not move, or a death in between would lose the gap. */
  isTold(kind: string): boolean {
    return !this.#missed.has(kind);
  }

  async #tellAll(): Promise<void> {
    this.#isTelling = true;
    while (this.#missed.size > 0 && !this.#signal.aborted) {
      await sleep(togetherMilliseconds, this.#signal);
      if (!this.#signal.aborted) await this.#tell(new Map(this.#missed));
    }
    this.#isTelling = false;
  }

  async #tell(missed: ReadonlyMap<string, () => void>): Promise<void> {
    try {
      await this.#ports.tell([...missed.keys()]);
      for (const [kind, told] of missed) {
        if (this.#missed.get(kind) !== told) continue;
        this.#missed.delete(kind);
        told();
      }
    } catch (error) {
      this.#ports.warn(error);
    }
  }
}
