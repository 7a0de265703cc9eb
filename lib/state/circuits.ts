/**
 * Circuits: closed, or open until T; while open nobody calls, and one probe at a time (DESIGN §3.14). For hosts see `host-circuits.ts`. What waits
 * for a cluster is parked behind it, so the circuit of a cluster has a due time for all of them: T, and when it has closed, until all are woken.
 */
import { number, set } from './attributes.ts';
import {
  type CircuitScope,
  type ClusterScope,
  circuitKey,
  circuitSortKey,
  dueShardOf,
  failedSortKey,
  isClusterScope,
} from './keys.ts';
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
  /** When the first of those complained who alone do not open it (`suspect`). */
  readonly suspectedAt: number | undefined;
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
/** A process that meets more scopes forgets those it has not met for longest; they are read anew. */
const mostScopes = 1000;
/** What a circuit remembers is worth nothing after so long; the store may then drop the item (infra/table.yml). */
const keptSeconds = 86_400;
/** No back-off of a pass is longer (lib/reconcile/due.ts). */
const longestBackOffSeconds = 600;
/** That passes back off is noted again after so long. */
const notedSeconds = 10;
/** Who is parked until a circuit may close comes at most so many seconds later, so that not all come at once. */
export const longestStagger = 5;
/** How many must complain of a scope before it counts as ill for everybody, and within how many seconds. */
export const enoughWitnesses = 3;
export const witnessSeconds = 300;

/**
 * Seconds a circuit stays open after its n-th failure in a row: 2, 3, 5, 7, 11 … Each is about half of what was waited before, so that an
 * outage of seconds costs seconds more, and one of hours a probe each five minutes.
 */
export const openSeconds = (failures: number, retryAfterSeconds = 0): number =>
  Math.min(longestSeconds, Math.max(retryAfterSeconds, Math.ceil(2 * 1.5 ** Math.min(failures - 1, 20))));

/** After a circuit has closed and all that were found parked are woken, it is looked once more: others may have believed that it was open. */
const lastLookSeconds = 120;

/** The due time of a cluster's circuit, as attributes; hosts have none. */
const dueIn = (scope: CircuitScope, dueAt: number): { readonly dueAt?: number; readonly dueShard?: number } =>
  isClusterScope(scope) ? { dueAt, dueShard: dueShardOf(circuitKey(scope)) } : {};

/** When an item may be dropped; never that of a cluster behind which somebody may be parked. */
const endsIn = (scope: CircuitScope, openUntil: number): { readonly endsAt?: number } =>
  isClusterScope(scope) ? {} : { endsAt: openUntil + keptSeconds };

/** What is known of a circuit that an answer has closed. */
const closed = { openUntil: undefined, failures: 0, probing: false, probed: false, suspectedAt: undefined };

/** The circuits, seen through a cache of five seconds, of one while they are open. */
export class Circuits {
  readonly #table: Table;
  readonly #mostScopes: number;
  readonly #opened: () => void;
  /** The last used at the end. */
  readonly #cache = new Map<CircuitScope, Seen>();
  /** When it was last noted of a cluster that passes back off. */
  readonly #noted = new Map<ClusterScope, number>();
  /** Reads that are under way for those who ask for admission. */
  readonly #asked = new Map<CircuitScope, Promise<Seen>>();

  /** `opened` hears of every failure that opens a circuit, or opens it anew. */
  constructor(table: Table, options: { readonly mostScopes?: number; readonly opened?: () => void } = {}) {
    this.#table = table;
    this.#mostScopes = options.mostScopes ?? mostScopes;
    this.#opened = options.opened ?? (() => undefined);
  }

  /** Asks before calling. Costs one read each five seconds and scope, each second while it is open. The first caller after T becomes the probe. */
  async admit(scope: CircuitScope, now: number): Promise<Admission> {
    const seen = await this.#shared(scope, now);
    if (seen.openUntil === undefined) return { admitted: true };
    if (seen.openUntil > now)
      return {
        admitted: false,
        until: seen.probed ? Math.min(seen.openUntil, now + besideProbeSeconds) : seen.openUntil,
      };
    const until = now + probeSeconds;
    const mine = await this.#table.update(circuitKey(scope), circuitSortKey, {
      set: { openUntil: until, probed: 1, ...dueIn(scope, until) },
      expect: { openUntil: seen.openUntil },
    });
    // Another pass of this process took the probe while this one asked: what is known of it must stay, or its failure would count for nothing.
    if (!mine && this.#cache.get(scope)?.probing === true) return { admitted: false, until: now + besideProbeSeconds };
    const { failures, suspectedAt } = seen;
    this.#remember(scope, {
      openUntil: until,
      failures,
      suspectedAt,
      probing: mine,
      probed: true,
      freshUntil: now + openFreshSeconds,
    });
    return mine ? { admitted: true } : { admitted: false, until: now + besideProbeSeconds };
  }

  /**
   * A call failed in a way that says that the other side is down or asks to be left alone. Many calls that fail at once are one
   * failure: those that were under way when the circuit opened only hold it open for what they were asked to wait. Says whether this
   * one counted.
   */
  async failed(scope: CircuitScope, now: number, retryAfterSeconds?: number): Promise<boolean> {
    const seen = await this.#known(scope, now);
    const isOpen = seen.openUntil !== undefined && seen.openUntil > now && !seen.probing;
    const failures = seen.failures + (isOpen ? 0 : 1);
    const openUntil =
      now + (isOpen ? Math.min(longestSeconds, retryAfterSeconds ?? 0) : openSeconds(failures, retryAfterSeconds));
    if (isOpen && openUntil <= (seen.openUntil ?? 0)) return false;
    await this.#table.update(circuitKey(scope), circuitSortKey, {
      set: { openUntil, failures, probed: 0, ...endsIn(scope, openUntil), ...dueIn(scope, openUntil) },
      ...(isClusterScope(scope) ? { remove: ['endsAt', 'emptyAt'] } : {}),
    });
    const open = { openUntil, failures, suspectedAt: seen.suspectedAt, probing: false, probed: false };
    this.#remember(scope, { ...open, freshUntil: now + openFreshSeconds });
    if (!isOpen) this.#opened();
    return !isOpen;
  }

  /**
   * A call of `witness` failed, which alone says nothing to others. Enough witnesses within some minutes open the circuit for all; whoever
   * holds its probe does at once. Any answer to anybody takes all of it back.
   */
  async suspect(scope: CircuitScope, witness: string, now: number): Promise<void> {
    const seen = await this.#known(scope, now);
    if (seen.probing) await this.failed(scope, now);
    if (seen.openUntil !== undefined) return;
    if (!(await this.#complain(scope, witness, seen, now))) {
      // Somebody else began to complain meanwhile: then ours is added to that.
      this.#cache.delete(scope);
      await this.#complain(scope, witness, await this.#look(scope, now), now);
    }
    this.#cache.delete(scope);
    const item = await this.#table.get(circuitKey(scope), circuitSortKey);
    if (item !== undefined && set(item, 'witnesses').length >= enoughWitnesses) await this.failed(scope, now);
  }

  /**
   * A call was answered. Writes only when the circuit was not closed or somebody complained. Of a cluster it is remembered until when
   * others may be parked behind it: who hears from its watches that it is back wakes them (`close`).
   */
  async succeeded(scope: CircuitScope, now: number): Promise<void> {
    const seen = await this.#known(scope, now);
    if (seen.openUntil === undefined && seen.suspectedAt === undefined) return;
    if (isClusterScope(scope) && seen.openUntil !== undefined) {
      const parkedUntil = Math.max(seen.openUntil, now) + longestStagger;
      // A second on: what was due until now may have been sent already, and would be taken for the same.
      await this.#table.put(circuitKey(scope), circuitSortKey, { parkedUntil, ...dueIn(scope, now + 1) });
    } else await this.#table.delete(circuitKey(scope), circuitSortKey);
    this.#remember(scope, { ...closed, freshUntil: now + freshSeconds });
  }

  /** Until when it counts that the scope was seen closed and nobody complained of it; undefined when that was not seen, or something else. */
  wellUntil(scope: CircuitScope): number | undefined {
    const seen = this.#cache.get(scope);
    return seen === undefined || seen.openUntil !== undefined || seen.suspectedAt !== undefined
      ? undefined
      : seen.freshUntil;
  }

  /** The call that was admitted was not made. Had it been the probe, the next caller is. */
  async unused(scope: CircuitScope, now: number): Promise<void> {
    const seen = this.#cache.get(scope);
    if (seen === undefined || !seen.probing) return;
    const expect = { openUntil: seen.openUntil };
    const set = { openUntil: now, probed: 0, ...dueIn(scope, now + 1) };
    await this.#table.update(circuitKey(scope), circuitSortKey, { set, expect });
    this.#cache.delete(scope);
  }

  /**
   * Closes the circuit of a cluster for whoever has seen it answer in another way than by a call that was admitted. Gives until when
   * others may be parked behind it, for `woken`: undefined when nobody is, as it was closed for long or they have been woken. Others may
   * believe that it is open for `openFreshSeconds` more.
   */
  async close(scope: ClusterScope, now: number): Promise<number | undefined> {
    this.#cache.delete(scope);
    await this.#look(scope, now);
    await this.succeeded(scope, now);
    const parkedUntil = number((await this.#table.get(circuitKey(scope), circuitSortKey)) ?? {}, 'parkedUntil');
    return parkedUntil !== undefined && parkedUntil > now ? parkedUntil : undefined;
  }

  /** Whether a cluster is down as far as is known: its circuit is open, or was and nobody has found it back. Costs what `admit` does; never a probe. */
  async isDown(scope: ClusterScope, now: number): Promise<boolean> {
    return (await this.#shared(scope, now)).openUntil !== undefined;
  }

  /** Has a circuit that is open still looked after at `dueAt` (Unix seconds): whoever was to probe it may not. */
  async lookAgain(scope: ClusterScope, dueAt: number): Promise<void> {
    const { openUntil } = await this.#look(scope, dueAt);
    if (openUntil === undefined) return;
    await this.#table.update(circuitKey(scope), circuitSortKey, { set: dueIn(scope, dueAt), expect: { openUntil } });
  }

  /**
   * Nobody was found parked behind a circuit that is closed, any more. Looked at once more after two minutes, and then nothing is left of it. False
   * while that look is still to come.
   */
  async allWoken(scope: ClusterScope, now: number): Promise<boolean> {
    const [pk, sk] = [circuitKey(scope), circuitSortKey];
    const item = await this.#table.get(pk, sk);
    if (item === undefined || number(item, 'openUntil') !== undefined || number(item, 'dueAt') === undefined)
      return true;
    const emptyAt = number(item, 'emptyAt');
    if (emptyAt !== undefined && emptyAt + lastLookSeconds <= now)
      return this.#table.delete(pk, sk, { attribute: 'emptyAt', value: emptyAt });
    const lookAt = (emptyAt ?? now) + lastLookSeconds;
    const expect = { openUntil: undefined, emptyAt };
    await this.#table.update(pk, sk, { set: { emptyAt: emptyAt ?? now, ...dueIn(scope, lookAt) }, expect });
    return false;
  }

  /** Who was parked until `parkedUntil` has been woken: nobody need do it again. */
  async woken(scope: ClusterScope, parkedUntil: number): Promise<void> {
    await this.#table.update(circuitKey(scope), circuitSortKey, { remove: ['parkedUntil'], expect: { parkedUntil } });
  }

  /** A pass has failed by what the cluster answered and backs off by itself. Costs one write each ten seconds of failures. */
  async leftBackingOff(scope: ClusterScope, now: number): Promise<void> {
    if ((this.#noted.get(scope) ?? Number.NEGATIVE_INFINITY) + notedSeconds > now) return;
    if (this.#noted.size >= this.#mostScopes) this.#noted.clear();
    this.#noted.set(scope, now);
    const failedUntil = now + longestBackOffSeconds;
    await this.#table.update(circuitKey(scope), failedSortKey, {
      set: { failedUntil, endsAt: failedUntil + keptSeconds },
    });
  }

  /** Until when passes may back off that the cluster failed; undefined when there are none, or they have been woken. */
  async backingOffUntil(scope: ClusterScope, now: number): Promise<number | undefined> {
    const failedUntil = number((await this.#table.get(circuitKey(scope), failedSortKey)) ?? {}, 'failedUntil');
    return failedUntil !== undefined && failedUntil > now ? failedUntil : undefined;
  }

  /** Those who back off until `failedUntil` have been woken, unless another has failed meanwhile. */
  async backedOffWoken(scope: ClusterScope, failedUntil: number): Promise<void> {
    this.#noted.delete(scope);
    await this.#table.delete(circuitKey(scope), failedSortKey, { attribute: 'failedUntil', value: failedUntil });
  }

  /** Adds a witness, or begins to count anew. False when somebody else has begun since `seen`. */
  async #complain(scope: CircuitScope, witness: string, { suspectedAt }: Seen, now: number): Promise<boolean> {
    const isOver = suspectedAt === undefined || suspectedAt + witnessSeconds <= now;
    const room = { attribute: 'witnesses', below: enoughWitnesses, element: witness };
    const written = await this.#table.update(
      circuitKey(scope),
      circuitSortKey,
      isOver
        ? {
            set: { witnesses: [witness], suspectedAt: now, endsAt: now + keptSeconds },
            expect: { suspectedAt },
          }
        : { add: { witnesses: [witness] }, room },
    );
    return written || !isOver;
  }

  /** As `#look`; those who ask while it is read wait for the same answer. */
  #shared(scope: CircuitScope, now: number): Promise<Seen> {
    const asked = this.#asked.get(scope);
    if (asked !== undefined) return asked;
    const looking = this.#look(scope, now).finally(() => this.#asked.delete(scope));
    this.#asked.set(scope, looking);
    return looking;
  }

  /** What is known of a scope, however old: who calls has asked for admission before. */
  async #known(scope: CircuitScope, now: number): Promise<Seen> {
    return this.#cache.get(scope) ?? this.#look(scope, now);
  }

  async #look(scope: CircuitScope, now: number): Promise<Seen> {
    const cached = this.#cache.get(scope);
    if (cached !== undefined && cached.freshUntil > now) {
      this.#remember(scope, cached);
      return cached;
    }
    const item = (await this.#table.get(circuitKey(scope), circuitSortKey)) ?? {};
    const openUntil = number(item, 'openUntil');
    const seen: Seen = {
      openUntil,
      failures: number(item, 'failures') ?? 0,
      probing: cached?.probing === true && cached.openUntil === openUntil,
      probed: item['probed'] === 1,
      suspectedAt: number(item, 'suspectedAt'),
      freshUntil: now + (openUntil === undefined ? freshSeconds : openFreshSeconds),
    };
    this.#remember(scope, seen);
    return seen;
  }

  #remember(scope: CircuitScope, seen: Seen): void {
    this.#cache.delete(scope);
    this.#cache.set(scope, seen);
    if (this.#cache.size <= this.#mostScopes) return;
    const [unused] = this.#cache.keys();
    if (unused !== undefined) this.#cache.delete(unused);
  }
}
