/** One circuit per cluster and per host: closed, or open until T; while open nobody calls, and one probe at a time (DESIGN §3.14). */
import { circuitKey, circuitSortKey } from './keys.ts';
import type { Table } from './table.ts';

/** May we call? When not, until when (Unix seconds) to stay away. */
export type Admission = { readonly admitted: true } | { readonly admitted: false; readonly until: number };

interface Seen {
  readonly openUntil: number | undefined;
  readonly failures: number;
  /** We hold the probe. */
  readonly probing: boolean;
  /** Somebody holds the probe: `openUntil` is only for the case that it dies. */
  readonly probed: boolean;
  /** When this view is to be read again, in Unix seconds. */
  readonly freshUntil: number;
}

/** How long a process may go on believing that a circuit is closed, and that it is open: to hear soon that it was closed costs little. */
const freshSeconds = 5;
export const openFreshSeconds = 1;
const probeSeconds = 30;
/** Whoever comes while a probe is under way looks again after so long: a probe that is answered closes the circuit at once. */
const besideProbeSeconds = 3;
const longestSeconds = 300;
/** Scopes are few; a function that somehow meets more forgets the oldest. */
const maxScopes = 1000;

/**
 * Seconds a circuit stays open after its n-th failure in a row: 2, 3, 5, 7, 11 … Each is about half of what was waited before, so that an
 * outage of seconds costs seconds more, and one of hours a probe each five minutes.
 */
export const openSeconds = (failures: number, retryAfterSeconds = 0): number =>
  Math.min(longestSeconds, Math.max(retryAfterSeconds, Math.ceil(2 * 1.5 ** Math.min(failures - 1, 20))));

/** The circuits, seen through a cache of five seconds, of one while they are open. */
export class Circuits {
  readonly #table: Table;
  readonly #cache = new Map<string, Seen>();

  constructor(table: Table) {
    this.#table = table;
  }

  /** Asks before calling. Costs one read each five seconds and scope, each second while it is open. The first caller after T becomes the probe. */
  async admit(scope: string, now: number): Promise<Admission> {
    const seen = await this.#look(scope, now);
    if (seen.openUntil === undefined) return { admitted: true };
    if (seen.openUntil > now)
      return {
        admitted: false,
        until: seen.probed ? Math.min(seen.openUntil, now + besideProbeSeconds) : seen.openUntil,
      };
    const until = now + probeSeconds;
    const mine = await this.#table.update(circuitKey(scope), circuitSortKey, {
      set: { openUntil: until, probed: 1 },
      expect: { openUntil: seen.openUntil },
    });
    // Another pass of this process took the probe while this one asked: what is known of it must stay, or its failure would count for nothing.
    if (!mine && this.#cache.get(scope)?.probing === true) return { admitted: false, until: now + besideProbeSeconds };
    const { failures } = seen;
    this.#remember(scope, {
      openUntil: until,
      failures,
      probing: mine,
      probed: true,
      freshUntil: now + openFreshSeconds,
    });
    return mine ? { admitted: true } : { admitted: false, until: now + besideProbeSeconds };
  }

  /**
   * A call failed in a way that says that the other side is down or asks to be left alone. Many calls that fail at once are one
   * failure: those that were under way when the circuit opened only hold it open for what they were asked to wait.
   */
  async failed(scope: string, now: number, retryAfterSeconds?: number): Promise<void> {
    const seen = this.#cache.get(scope);
    const isOpen = seen?.openUntil !== undefined && seen.openUntil > now && !seen.probing;
    const failures = (seen?.failures ?? 0) + (isOpen ? 0 : 1);
    const openUntil =
      now + (isOpen ? Math.min(longestSeconds, retryAfterSeconds ?? 0) : openSeconds(failures, retryAfterSeconds));
    if (isOpen && openUntil <= (seen.openUntil ?? 0)) return;
    await this.#table.update(circuitKey(scope), circuitSortKey, { set: { openUntil, failures, probed: 0 } });
    this.#remember(scope, { openUntil, failures, probing: false, probed: false, freshUntil: now + openFreshSeconds });
  }

  /** A call was answered. Writes only when the circuit was not closed. */
  async succeeded(scope: string, now: number): Promise<void> {
    const seen = this.#cache.get(scope);
    if (seen === undefined || seen.openUntil === undefined) return;
    await this.#table.delete(circuitKey(scope), circuitSortKey);
    const closed = { openUntil: undefined, failures: 0, probing: false, probed: false };
    this.#remember(scope, { ...closed, freshUntil: now + freshSeconds });
  }

  /**
   * Closes the circuit for whoever has seen the other side answer in another way than by a call that was admitted. Says whether it was
   * open: others may believe so for `openFreshSeconds` more.
   */
  async close(scope: string, now: number): Promise<boolean> {
    this.#cache.delete(scope);
    const { openUntil } = await this.#look(scope, now);
    await this.succeeded(scope, now);
    return openUntil !== undefined;
  }

  async #look(scope: string, now: number): Promise<Seen> {
    const cached = this.#cache.get(scope);
    if (cached !== undefined && cached.freshUntil > now) return cached;
    const item = await this.#table.get(circuitKey(scope), circuitSortKey);
    const openUntil = item?.['openUntil'];
    const failures = item?.['failures'];
    const seen: Seen = {
      openUntil: typeof openUntil === 'number' ? openUntil : undefined,
      failures: typeof failures === 'number' ? failures : 0,
      probing: cached?.probing === true && cached.openUntil === openUntil,
      probed: item?.['probed'] === 1,
      freshUntil: now + (openUntil === undefined ? freshSeconds : openFreshSeconds),
    };
    this.#remember(scope, seen);
    return seen;
  }

  #remember(scope: string, seen: Seen): void {
    if (this.#cache.size >= maxScopes) {
      const [oldest] = this.#cache.keys();
      if (oldest !== undefined) this.#cache.delete(oldest);
    }
    this.#cache.set(scope, seen);
  }
}
