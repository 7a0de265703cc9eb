/**
 * Shared git polls: the record item of a `GitPoll` target, so that due times and the sweeper treat it like any other, and one item for
 * each revision that is followed, so that no number of them outgrows an item. Neither URL nor credential is stored, only the name of the
 * Secret (DESIGN §3.17).
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
  hooksOfTenant,
  parkingShardOf,
  polledBy,
  recordKey,
  recordSortKey,
  revisionPrefix,
  revisionSortKey,
  type TargetKey,
} from './keys.ts';
import type { Item, Table } from './table.ts';

/** Revisions of one repository that one namespace can follow with one Secret and interval. */
export const mostRevisions = 1000;
/** Polls of one namespace that a push to one repository wakes: one for each Secret and interval. */
export const mostPollsAtPlace = 20;

/** How much one namespace has of one repository. */
export interface PollLimits {
  readonly revisions: number;
  readonly atPlace: number;
}

/** More than one thing that followers saw says that somebody is behind; a third would say no more. */
const mostSeen = 2;

/** Times are Unix seconds. */
export interface PollRow {
  /** Changes whenever somebody begins to follow: who gives the row up expects it unchanged. */
  readonly watchVersion: string;
  readonly secretName: string | undefined;
  /** Digest of the repository's place, by which push hooks find the row. */
  readonly place: string | undefined;
  /** The namespace has as many polls at the place as hooks wake: they wake not this one. */
  readonly isUnheard: boolean;
  /** When it was last asked because of a hook. */
  readonly hookedAt: number | undefined;
  /** A hook was put off: the next pass lists, however rare polls are. */
  readonly isOwed: boolean;
  /** The last listing found moves, and it is not certain that all followers were woken. */
  readonly isWaking: boolean;
  /** When the host was last asked, and failures in a row since it last answered. */
  readonly askedAt: number | undefined;
  readonly attempts: number;
  /** Name of the page that it was last put into (poll-pages.ts). */
  readonly page: string | undefined;
  /** It is due, or parked, by itself: not with its page. */
  readonly isDueAlone: boolean;
  /** The last failure as text; undefined after a success. */
  readonly failure: string | undefined;
}

/** A revision that somebody follows. */
export interface PollEntry {
  readonly revision: string;
  /** What followers saw, as they write it: one text, or two when they disagree; nothing when a write was lost. */
  readonly seen: readonly string[];
  /** What the last listing that worked found; undefined before the first. */
  readonly found: string | undefined;
  /** Changes whenever a follower tells what it saw. Writes that replace that expect it unchanged. */
  readonly version: string;
}

/** What one listing leaves behind. */
export interface PollResult {
  readonly askedAt: number;
  readonly attempts: number;
  readonly failure: string | undefined;
  /** When, if it was because of a hook; undefined keeps what is known of the last, `never` forgets it. */
  readonly hookedAt?: number | 'never' | undefined;
  /** When to ask again; left out while followers are still to be woken. */
  readonly dueAt?: number | undefined;
}

const entryIn = (item: Item): PollEntry | undefined => {
  const revision = text(item, 'revision');
  if (revision === undefined) return undefined;
  return {
    revision,
    seen: set(item, 'seen'),
    found: text(item, 'found'),
    version: text(item, 'version') ?? '',
  };
};

/** What is written of a poll that is due by itself. */
const alone = (pk: string, dueAt: number) => ({
  waking: undefined,
  page: undefined,
  dueAt,
  dueShard: dueShardOf(pk),
});

/** Shared polls of all clusters. */
export class Polls {
  readonly #table: Table;
  readonly #limits: PollLimits;

  constructor(table: Table, limits: Partial<PollLimits> = {}) {
    this.#table = table;
    this.#limits = { revisions: mostRevisions, atPlace: mostPollsAtPlace, ...limits };
  }

  /** The row; undefined when nobody follows anything there. */
  async read(poll: TargetKey): Promise<PollRow | undefined> {
    const item = await this.#table.get(recordKey(poll), recordSortKey);
    const watchVersion = item === undefined ? undefined : text(item, 'watchVersion');
    if (item === undefined || watchVersion === undefined) return undefined;
    return {
      watchVersion,
      secretName: text(item, 'secretName'),
      place: text(item, 'place'),
      isUnheard: item['unheard'] === 1,
      hookedAt: number(item, 'hookedAt'),
      isOwed: item['owed'] === 1,
      isWaking: item['waking'] === 1,
      askedAt: number(item, 'askedAt'),
      attempts: number(item, 'attempts') ?? 0,
      page: text(item, 'page'),
      isDueAlone: number(item, 'dueAt') !== undefined,
      failure: text(item, 'failure'),
    };
  }

  /** One revision; undefined when nobody follows it there. */
  async entry(poll: TargetKey, revision: string): Promise<PollEntry | undefined> {
    const item = await this.#table.get(recordKey(poll), revisionSortKey(revision));
    return item === undefined ? undefined : entryIn(item);
  }

  /** One page of the revisions, consistent. */
  async entries(poll: TargetKey, limit: number, from: string = revisionPrefix): Promise<Entries> {
    const { items, next } = await this.#table.queryPartition(recordKey(poll), { limit, from });
    return { entries: items.flatMap((item) => entryIn(item) ?? []), next };
  }

  /**
   * Follows a revision, and gives a first due time to a row that has none. The row is written before the revision: whoever gives the row
   * up in between sees that. Writes nothing when the row is full.
   */
  async watch(poll: TargetKey, request: WatchRequest): Promise<Watching> {
    const { revision, isNew, seen, secretName, place, dueAt } = request;
    const pk = recordKey(poll);
    if (isNew && (await this.#isFull(poll))) {
      await this.#tidySoon(poll, dueAt);
      return 'full';
    }
    await this.#table.update(pk, recordSortKey, { set: { watchVersion: randomUUID(), secretName, place } });
    const told = { set: { revision, version: randomUUID() } };
    const sk = revisionSortKey(revision);
    const room = { attribute: 'seen', below: mostSeen, element: seen };
    const isNoted = await this.#table.update(pk, sk, { ...told, add: { seen: [seen] }, room });
    if (!isNoted) await this.#table.update(pk, sk, told);
    const isHeard = await this.offerToHooks(poll, place);
    await this.#table.update(pk, recordSortKey, {
      set: { dueAt, dueShard: dueShardOf(pk) },
      expect: { dueAt: undefined },
    });
    return isHeard ? 'watched' : 'unheard';
  }

  /** Stores how the host answered, before anybody is woken to read it. */
  async saveResult(poll: TargetKey, { dueAt, hookedAt, ...result }: PollResult): Promise<void> {
    const pk = recordKey(poll);
    const hooked = hookedAt === undefined ? {} : { hookedAt: hookedAt === 'never' ? undefined : hookedAt };
    const due = dueAt === undefined ? { waking: 1 } : alone(pk, dueAt);
    await this.#table.update(pk, recordSortKey, { set: { ...result, owed: undefined, ...hooked, ...due } });
  }

  /**
   * Stores that it is due with a page from now on, and how the host answered. False, and nothing is written, when somebody has begun to follow since the row
   * was read: what lies in the page may know nothing of him.
   */
  async joinPage(
    poll: TargetKey,
    { watchVersion }: PollRow,
    page: string,
    result: Omit<PollResult, 'dueAt'>,
  ): Promise<boolean> {
    const { hookedAt, ...rest } = result;
    const hooked = hookedAt === undefined ? {} : { hookedAt: hookedAt === 'never' ? undefined : hookedAt };
    return this.#table.update(recordKey(poll), recordSortKey, {
      set: { ...rest, ...hooked, page, owed: undefined, waking: undefined, dueAt: undefined, dueShard: undefined },
      expect: { watchVersion },
    });
  }

  /** Puts off a listing that a hook asked for. */
  async owe(poll: TargetKey, dueAt: number): Promise<void> {
    const pk = recordKey(poll);
    await this.#table.update(pk, recordSortKey, { set: { owed: 1, dueAt, dueShard: dueShardOf(pk) } });
  }

  /** Parks a poll behind its cluster, which is down (`Records.parkBehindCluster`): with a listing that a hook asked for before others. */
  async park(poll: TargetKey, now: number, isOwed: boolean): Promise<void> {
    const dueShard = parkingShardOf(poll.cluster, isOwed ? 'first' : 'later');
    const owed = isOwed ? { owed: 1 } : {};
    await this.#table.update(recordKey(poll), recordSortKey, { set: { ...owed, dueAt: now, dueShard } });
  }

  /** Stores what a listing found of a revision, unless it is given up. Comes before `saveResult`: no old finding may look fresh. */
  async saveFound(poll: TargetKey, { revision }: PollEntry, found: string): Promise<void> {
    const expect = { revision };
    await this.#table.update(recordKey(poll), revisionSortKey(revision), { set: { found }, expect });
  }

  /** Says that every follower has been woken since it was found so, unless one has told something else since the entry was read. */
  async settle(poll: TargetKey, { revision, version }: PollEntry, seen: string): Promise<boolean> {
    const expect = { version };
    return this.#table.update(recordKey(poll), revisionSortKey(revision), { set: { seen: [seen] }, expect });
  }

  /** Gives up a revision that nobody follows, unless somebody has begun to since it was read. */
  async drop(poll: TargetKey, { revision, version }: PollEntry): Promise<boolean> {
    return this.#table.delete(recordKey(poll), revisionSortKey(revision), { attribute: 'version', value: version });
  }

  /** The last write of a poll: when to ask again. */
  async finish(poll: TargetKey, dueAt: number): Promise<void> {
    const pk = recordKey(poll);
    await this.#table.update(pk, recordSortKey, { set: alone(pk, dueAt) });
  }

  /**
   * Deletes a row that nobody follows, with the entries that were looked at, unless somebody has begun to since they were read. What hooks
   * find it by goes first: whoever begins to follow in between writes the row before it, so one of the two puts it back. The row goes
   * last, so that no revision is left behind without it.
   */
  async forget(poll: TargetKey, row: PollRow, entries: readonly PollEntry[]): Promise<boolean> {
    const { watchVersion, place } = row;
    if (place !== undefined) await this.#table.delete(hookKey(place), hookSortKey(poll));
    for (const entry of entries) await this.drop(poll, entry);
    const expect = { attribute: 'watchVersion', value: watchVersion };
    const isGone = await this.#table.delete(recordKey(poll), recordSortKey, expect);
    if (!isGone && place !== undefined) await this.offerToHooks(poll, place);
    return isGone;
  }

  /** Lets push hooks for `place` find the poll, if its namespace has not too many there, and says so. Doing it again changes nothing. */
  async offerToHooks(poll: TargetKey, place: string): Promise<boolean> {
    const [pk, sk] = [hookKey(place), hookSortKey(poll)];
    if ((await this.#table.get(pk, sk)) !== undefined) return true;
    const from = hooksOfTenant(poll);
    const { items } = await this.#table.queryPartition(pk, { limit: this.#limits.atPlace, from });
    const isUnheard = items.filter((item) => text(item, 'sk')?.startsWith(from)).length >= this.#limits.atPlace;
    if (!isUnheard) await this.#table.put(pk, sk);
    await this.#table.update(recordKey(poll), recordSortKey, { set: { unheard: isUnheard ? 1 : undefined } });
    return !isUnheard;
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

  /** A row that is full and lies in a page is looked after soon: there may be revisions that nobody follows any more. */
  async #tidySoon(poll: TargetKey, dueAt: number): Promise<void> {
    const row = await this.read(poll);
    if (row === undefined || row.isDueAlone) return;
    const pk = recordKey(poll);
    const expect = { watchVersion: row.watchVersion, dueAt: undefined };
    await this.#table.update(pk, recordSortKey, { set: { dueAt, dueShard: dueShardOf(pk) }, expect });
  }

  /** Counted without a counter, which a death would leave wrong; those who come at once may make it a few more. */
  async #isFull(poll: TargetKey): Promise<boolean> {
    const { revisions } = this.#limits;
    let count = 0;
    let from: string | undefined = revisionPrefix;
    do {
      const page = await this.#table.queryPartition(recordKey(poll), { limit: revisions, from });
      count += page.items.length;
      from = page.next;
    } while (from !== undefined && count < revisions);
    return count >= revisions;
  }
}

/** What `Polls.watch` adds. */
export interface WatchRequest {
  readonly revision: string;
  /** The poll has no entry for it, as far as is known: then there has to be room. */
  readonly isNew: boolean;
  /** What the follower saw, as it writes it. */
  readonly seen: string;
  readonly secretName: string | undefined;
  /** Digest of the repository's place (`placeDigest`). */
  readonly place: string;
  /** When the row is first due, if it has no due time yet. */
  readonly dueAt: number;
}

/** What became of it: followed, but push hooks do not wake the poll; or not followed, as there is no room. */
export type Watching = 'full' | 'unheard' | 'watched';

/** A page of dependents or polls; `next` continues it. */
export interface Followers {
  readonly targets: readonly TargetKey[];
  readonly next: string | undefined;
}

/** A page of revisions; `next` continues it. */
export interface Entries {
  readonly entries: readonly PollEntry[];
  readonly next: string | undefined;
}
