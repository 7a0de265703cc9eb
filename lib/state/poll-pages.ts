/**
 * Pages of polls (docs/decisions/0015-pages-of-polls.md): polls with which nothing is the matter are due together, a hundred and fewer as one item, and
 * beside it lies of each what is asked and what was answered last. A round in which nothing moves reads a page and writes one item. A page is a GitPoll
 * without a namespace; what a poll knows lies where it always does (polls.ts), and its row says no more than that this is as it was.
 */
import { randomUUID } from 'node:crypto';
import { number, text } from './attributes.ts';
import {
  dueShardOf,
  phaseOf,
  recordKey,
  recordSortKey,
  rowPrefix,
  rowSortKey,
  rowsPoll,
  type TargetKey,
} from './keys.ts';
import type { Item, Table } from './table.ts';

/** Where a revision was, as polls write it. */
export type Answer = readonly [revision: string, where: string];

/** A poll in its page. Times are Unix seconds. */
export interface PageRow {
  readonly poll: TargetKey;
  /** Name of a SourceResolver that says where the repository is. */
  readonly follower: string;
  readonly secretName: string | undefined;
  /** When a push hook last asked for a listing. */
  readonly hookedAt: number | undefined;
  /** Every revision that is followed, and where all followers saw it. */
  readonly answers: readonly Answer[];
  /** Until when a pass of its own has to look after the poll. */
  readonly lookAt: number;
}

/** What is known of a page as a whole. */
export interface PageState {
  /** Changes with every row that comes. */
  readonly version: string;
  /** When its rows were last asked, but for those that have a due time of their own. */
  readonly askedAt: number | undefined;
  readonly dueAt: number | undefined;
  /** Of the first page alone: over how many polls of its interval are spread. */
  readonly spread: Spread;
}

/** Part of a page; `next` continues it. `state` comes with the first part, if the page is there. */
export interface PagePart {
  readonly state: PageState | undefined;
  readonly rows: readonly PageRow[];
  readonly next: string | undefined;
}

/** Over how many pages polls of an interval are spread: two to the power of `exponent`, since `since`. */
export interface Spread {
  readonly exponent: number;
  readonly since: number;
}

/** Rows of a page beyond which there are twice as many pages, and below which half as many, a day at the soonest. */
export const mostRows = 100;
export const leastRows = 10;
const shrinkSeconds = 86_400;
/** A million pages are of a hundred million polls. */
const mostExponent = 20;
/** Of a row, in bytes: who follows more has a due time of his own. */
const mostAnswerBytes = 1500;

/** The page with this number. */
export const pageOf = (
  { cluster, kind }: Pick<TargetKey, 'cluster' | 'kind'>,
  intervalSeconds: number,
  page: number,
): TargetKey => ({
  cluster,
  kind,
  namespace: '',
  name: `every-${intervalSeconds}.${page}`,
});

/** Which page a target is; undefined when it is a poll, or anything else. */
export const pageIn = ({
  namespace,
  name,
}: Pick<TargetKey, 'name' | 'namespace'>): { readonly intervalSeconds: number; readonly page: number } | undefined => {
  const groups = namespace === '' ? /^every-(?<interval>\d{1,9})\.(?<page>\d{1,9})$/u.exec(name)?.groups : undefined;
  return groups && { intervalSeconds: Number(groups['interval']), page: Number(groups['page']) };
};

/** The page that a poll belongs to. */
export const pageFor = (poll: TargetKey, intervalSeconds: number, { exponent }: Pick<Spread, 'exponent'>): TargetKey =>
  pageOf(poll, intervalSeconds, (phaseOf(poll) * 2 ** 32) % 2 ** exponent);

/** Whether so much can lie in a row. */
export const fitsRow = (answers: readonly Answer[]): boolean =>
  Buffer.byteLength(JSON.stringify(answers)) <= mostAnswerBytes;

const answersIn = (item: Item): readonly Answer[] | undefined => {
  try {
    const found: unknown = JSON.parse(text(item, 'answers') ?? '');
    const isOne = (one: unknown): one is Answer =>
      Array.isArray(one) && one.length === 2 && one.every((part) => typeof part === 'string');
    return Array.isArray(found) && found.every(isOne) ? found : undefined;
  } catch {
    return undefined;
  }
};

/** A row that cannot be read is one that has to be looked after. */
const rowIn = (cluster: string, item: Item): PageRow | undefined => {
  const poll = rowsPoll(cluster, text(item, 'sk') ?? '');
  if (poll === undefined) return undefined;
  const answers = answersIn(item);
  return {
    poll,
    follower: text(item, 'follower') ?? '',
    secretName: text(item, 'secretName'),
    hookedAt: number(item, 'hookedAt'),
    answers: answers ?? [],
    lookAt: answers === undefined ? 0 : (number(item, 'lookAt') ?? 0),
  };
};

const spreadIn = (item: Item | undefined): Spread => ({
  exponent: number(item ?? {}, 'exponent') ?? 0,
  since: number(item ?? {}, 'spreadSince') ?? 0,
});

/** The pages of all clusters. */
export class PollPages {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  /** A part of the page, consistent. */
  async read(page: TargetKey, from?: string): Promise<PagePart> {
    const { items, next } = await this.#table.queryPartition(recordKey(page), { limit: mostRows + 2, from });
    const found = items.find((item) => text(item, 'sk') === recordSortKey);
    return {
      state: found && {
        version: text(found, 'version') ?? '',
        askedAt: number(found, 'askedAt'),
        dueAt: number(found, 'dueAt'),
        spread: spreadIn(found),
      },
      rows: items.flatMap((item) => rowIn(page.cluster, item) ?? []),
      next,
    };
  }

  /** When the page was last asked; undefined when it was not yet, or there is none of that name. */
  async askedAt(page: TargetKey): Promise<number | undefined> {
    return number((await this.#table.get(recordKey(page), recordSortKey)) ?? {}, 'askedAt');
  }

  /** Over how many pages the polls are spread that share the interval. */
  async spread(poll: TargetKey, intervalSeconds: number): Promise<Spread> {
    return spreadIn(await this.#table.get(recordKey(pageOf(poll, intervalSeconds, 0)), recordSortKey));
  }

  /**
   * Puts a poll into its page, and gives that. The row comes before the page's due time, which a page that is there keeps: whoever gives an empty page
   * up in between sees its version changed. `firstDueAt` says when a new page is due.
   */
  async enter(row: PageRow, intervalSeconds: number, firstDueAt: (page: TargetKey) => number): Promise<TargetKey> {
    const page = pageFor(row.poll, intervalSeconds, await this.spread(row.poll, intervalSeconds));
    const pk = recordKey(page);
    const { poll, answers, ...rest } = row;
    await this.#table.put(pk, rowSortKey(poll), withoutUndefined({ ...rest, answers: JSON.stringify(answers) }));
    await this.#table.update(pk, recordSortKey, {
      set: { version: randomUUID(), isPage: 1, dueShard: dueShardOf(pk) },
      later: { dueAt: { than: 0, by: 'dueAt', orBy: firstDueAt(page) } },
    });
    return page;
  }

  /** Takes a poll out of a page; not being there is fine. */
  async leave(page: TargetKey, poll: TargetKey): Promise<void> {
    await this.#table.delete(recordKey(page), rowSortKey(poll));
  }

  /** The last write of a round; a due time that is left out stays. */
  async finish(page: TargetKey, askedAt: number, dueAt?: number): Promise<void> {
    const pk = recordKey(page);
    const due = dueAt === undefined ? {} : { dueAt, dueShard: dueShardOf(pk) };
    await this.#table.update(pk, recordSortKey, { set: { askedAt, ...due }, expect: { isPage: 1 } });
  }

  /** Gives up a page in which nobody was found, unless somebody has come since it was read. The first says how many there are: it is the last that goes. */
  async drop(page: TargetKey, { version }: PageState): Promise<void> {
    await this.#table.delete(recordKey(page), recordSortKey, { attribute: 'version', value: version });
  }

  /**
   * Looks whether the page that a poll has entered has become too full, and doubles the number of pages then. Those who came for fewer pages do not
   * count: they go to their own.
   */
  async growIfFull(page: TargetKey, now: number): Promise<void> {
    const at = pageIn(page);
    if (at === undefined) return;
    const spread = await this.spread(page, at.intervalSeconds);
    // Twice as many lie there at most, while the others move.
    const { items } = await this.#table.queryPartition(recordKey(page), { limit: 4 * mostRows, from: rowPrefix });
    const polls = items.flatMap((item) => rowsPoll(page.cluster, text(item, 'sk') ?? '') ?? []);
    const own = polls.filter((poll) => pageFor(poll, at.intervalSeconds, spread).name === page.name);
    if (own.length > mostRows) await this.#spreadOver(page, at.intervalSeconds, spread, spread.exponent + 1, now);
  }

  /** Halves the number of pages, unless it was changed within a day. */
  async shrink(page: TargetKey, now: number): Promise<void> {
    const at = pageIn(page);
    if (at === undefined) return;
    const spread = await this.spread(page, at.intervalSeconds);
    if (spread.exponent > 0 && now - spread.since >= shrinkSeconds)
      await this.#spreadOver(page, at.intervalSeconds, spread, spread.exponent - 1, now);
  }

  async #spreadOver(
    page: TargetKey,
    intervalSeconds: number,
    was: Spread,
    exponent: number,
    now: number,
  ): Promise<void> {
    if (exponent > mostExponent) return;
    await this.#table.update(recordKey(pageOf(page, intervalSeconds, 0)), recordSortKey, {
      set: { exponent: exponent === 0 ? undefined : exponent, spreadSince: now, version: randomUUID() },
      expect: { isPage: 1, exponent: was.exponent === 0 ? undefined : was.exponent },
    });
  }
}

const withoutUndefined = (attributes: Readonly<Record<string, string | number | undefined>>): Item =>
  Object.fromEntries(
    Object.entries(attributes).filter((entry): entry is [string, string | number] => entry[1] !== undefined),
  );
