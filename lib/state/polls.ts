/**
 * Rows of shared git polls: the record item of a `GitPoll` target, so that due times and the sweeper treat it like any other, with
 * attributes of its own. Neither URL nor credential is stored, only the name of the Secret (DESIGN §3.17).
 */
import { randomUUID } from 'node:crypto';
import { number, set, text } from './attributes.ts';
import {
  type Dependency,
  dependentOf,
  dueShardOf,
  edgeKey,
  hookKey,
  hookSortKey,
  polledBy,
  recordKey,
  recordSortKey,
  type TargetKey,
} from './keys.ts';
import type { Table } from './table.ts';

/** Times are Unix seconds. */
export interface PollRow {
  /** Entries as their owner writes them; a set. */
  readonly watched: readonly string[];
  /** Changes whenever an entry is added. Writes that replace the set expect it unchanged. */
  readonly watchVersion: string | undefined;
  /** Entries as the last listing that worked has them. */
  readonly found: readonly string[];
  readonly secretName: string | undefined;
  /** Digest of the repository's place, by which push hooks find the row. */
  readonly place: string | undefined;
  /** When the host was last asked, and failures in a row since it last answered. */
  readonly askedAt: number | undefined;
  readonly attempts: number;
  /** The last failure as text; undefined after a success. */
  readonly failure: string | undefined;
}

/** What one listing leaves behind. */
export interface PollResult {
  readonly askedAt: number;
  readonly attempts: number;
  readonly failure: string | undefined;
  /** The new entries; undefined keeps those of the last listing that worked. */
  readonly found?: readonly string[] | undefined;
  /** When to ask again; left out while followers are still to be woken. */
  readonly dueAt?: number | undefined;
}

/** Shared polls of all clusters. */
export class Polls {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  /** The row; undefined when nobody follows anything there. */
  async read(poll: TargetKey): Promise<PollRow | undefined> {
    const item = await this.#table.get(recordKey(poll), recordSortKey);
    if (item === undefined || item['watched'] === undefined) return undefined;
    return {
      watched: set(item, 'watched'),
      watchVersion: text(item, 'watchVersion'),
      found: set(item, 'found'),
      secretName: text(item, 'secretName'),
      place: text(item, 'place'),
      askedAt: number(item, 'askedAt'),
      attempts: number(item, 'attempts') ?? 0,
      failure: text(item, 'failure'),
    };
  }

  /** Adds an entry, and a first due time to a row that has none. */
  async watch(poll: TargetKey, { entry, secretName, place, dueAt }: WatchRequest): Promise<void> {
    const pk = recordKey(poll);
    await this.#table.update(pk, recordSortKey, {
      set: { watchVersion: randomUUID(), secretName, place },
      add: { watched: [entry] },
    });
    await this.offerToHooks(poll, place);
    await this.#table.update(pk, recordSortKey, {
      set: { dueAt, dueShard: dueShardOf(pk) },
      expect: { dueAt: undefined },
    });
  }

  /** Stores what the host said, before anybody is woken to read it. */
  async saveResult(poll: TargetKey, { found, dueAt, ...result }: PollResult): Promise<void> {
    const pk = recordKey(poll);
    await this.#table.update(pk, recordSortKey, {
      set: {
        ...result,
        ...(found === undefined ? {} : { found }),
        ...(dueAt === undefined ? {} : { dueAt, dueShard: dueShardOf(pk) }),
      },
    });
  }

  /** The last write of a poll: when to ask again. */
  async finish(poll: TargetKey, dueAt: number): Promise<void> {
    const pk = recordKey(poll);
    await this.#table.update(pk, recordSortKey, { set: { dueAt, dueShard: dueShardOf(pk) } });
  }

  /** Replaces the entries, unless somebody has added one since the row was read. */
  async replaceWatched(poll: TargetKey, row: PollRow, entries: readonly string[]): Promise<boolean> {
    return this.#table.update(recordKey(poll), recordSortKey, {
      set: { watched: entries },
      expect: { watchVersion: row.watchVersion },
    });
  }

  /**
   * Deletes a row that nobody follows, unless somebody has begun to since it was read. What hooks find it by goes first: whoever
   * begins to follow in between writes the row before it, so one of the two puts it back.
   */
  async forget(poll: TargetKey, { watchVersion = '', place }: PollRow): Promise<boolean> {
    if (place !== undefined) await this.#table.delete(hookKey(place), hookSortKey(poll));
    const expect = { attribute: 'watchVersion', value: watchVersion };
    const isGone = await this.#table.delete(recordKey(poll), recordSortKey, expect);
    if (!isGone && place !== undefined) await this.offerToHooks(poll, place);
    return isGone;
  }

  /** Lets push hooks for `place` find the poll. Writing it again changes nothing. */
  async offerToHooks(poll: TargetKey, place: string): Promise<void> {
    await this.#table.put(hookKey(place), hookSortKey(poll));
  }

  /** One page of the polls of a place, in every cluster, consistent. */
  async atPlace(place: string, limit: number, from?: string): Promise<Followers> {
    const { items, next } = await this.#table.queryPartition(hookKey(place), { limit, from });
    return { targets: items.map((item) => polledBy(text(item, 'sk') ?? '')), next };
  }

  /** One page of those who depend on `dependency`, consistent. */
  async followers(cluster: string, dependency: Dependency, limit: number, from?: string): Promise<Followers> {
    const page = await this.#table.queryPartition(edgeKey(cluster, dependency), { limit, from });
    return { targets: page.items.map((item) => dependentOf(cluster, text(item, 'sk') ?? '')), next: page.next };
  }
}

/** What `Polls.watch` adds. */
export interface WatchRequest {
  readonly entry: string;
  readonly secretName: string | undefined;
  /** Digest of the repository's place (`placeDigest`). */
  readonly place: string;
  /** When the row is first due, if it has no due time yet. */
  readonly dueAt: number;
}

/** A page of dependents or polls; `next` continues it. */
export interface Followers {
  readonly targets: readonly TargetKey[];
  readonly next: string | undefined;
}
