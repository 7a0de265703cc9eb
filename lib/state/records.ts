/** The record of an object: what a pass must remember for the next one. Reading it costs one consistent read. */
import { randomUUID } from 'node:crypto';

import { number, set, text } from './attributes.ts';
import { edgesThatFit, expectRoom } from './edge-bounds.ts';
import {
  type Dependency,
  dependentOf,
  dueKeyOf,
  dueShardOf,
  edgeKey,
  edgeSortKey,
  isParkingShard,
  type ParkingLane,
  parkingShardOf,
  recordKey,
  recordSortKey,
  type TargetKey,
  targetOfDueKey,
} from './keys.ts';
import type { Table } from './table.ts';

/** Times are Unix seconds. */
export interface ObjectRecord {
  /** Changes with every pass that ends and every wake-up that is parked: who has read the record before writes nothing over that. */
  readonly version?: string | undefined;
  /** The version our last write or read returned, and the epoch of the watch history it belongs to. */
  readonly resourceVersion?: string | undefined;
  readonly epoch?: string | undefined;
  /** Failed passes in a row. */
  readonly attempts: number;
  /** When the first of them happened. */
  readonly failingSince?: number | undefined;
  /** When a pass first found that the cluster is not registered; undefined since one found it again. */
  readonly unregisteredAt?: number | undefined;
  /** Undefined too while it is parked behind its cluster. */
  readonly dueAt?: number | undefined;
  /** So long the object may be left alone, in seconds: nothing is the matter with it. Undefined while something is. */
  readonly restSeconds?: number | undefined;
  /** When the API server first said that the object is gone. */
  readonly goneAt?: number | undefined;
  /** Edges that exist for certain, as `showDependency` prints them. */
  readonly edges: readonly string[];
  /** Edges that may exist: written or being deleted when a pass died. They are never relied on, only cleared away. */
  readonly looseEdges: readonly string[];
  /** Hash of what dependents can see, when they were last told. */
  readonly fannedHash?: string | undefined;
  /** The version that hash was made of, with its epoch (`versionInEpoch`): an event or a list that names it tells dependents nothing. */
  readonly fannedVersion?: string | undefined;
  /** How far an unfinished telling has come: the hash it tells, and the last dependent told. */
  readonly fanningHash?: string | undefined;
  readonly fanCursor?: string | undefined;
  /** What a reconciler remembers for itself between passes, as text. */
  readonly memory?: string | undefined;
  /** Tokens of the children's versions that the last pass decided on (the skip rule). */
  readonly seen: readonly string[];
}

/** What is known of an object that no pass has looked at. */
export const noRecord: ObjectRecord = { attempts: 0, edges: [], looseEdges: [], seen: [] };

/** An object whose time has come. */
export interface Due {
  readonly target: TargetKey;
  readonly dueAt: number;
}

/** A version as records keep it where two histories of a cluster must not be confused. */
export const versionInEpoch = (epoch: string, resourceVersion: string): string => `${epoch} ${resourceVersion}`;

/** An edge as records name it. */
export const showDependency = ({ kind, namespace, name }: Dependency): string => `${kind}#${namespace}#${name}`;
const parseDependency = (shown: string): Dependency => {
  const [kind = '', namespace = '', ...name] = shown.split('#');
  return { kind, namespace, name: name.join('#') };
};

/** What a pass may leave for the next; more is not kept, which costs reads and nothing else. */
const mostMemoryBytes = 50_000;
const mostSeenTokens = 2000;

/** Until who was woken by the clock is woken again, if nobody answers. */
const postponeSeconds = 600;

/** Edges written at once: most objects have one or two, a store's builder hundreds. */
const atOnce = 25;

/** Calls `each` for all, `atOnce` at a time. */
const someAtOnce = async <T>(all: readonly T[], each: (one: T) => Promise<unknown>): Promise<void> => {
  for (let from = 0; from < all.length; from += atOnce) await Promise.all(all.slice(from, from + atOnce).map(each));
};

/** An end, if there is one. */
const kept = (endsAt: number | undefined): { readonly endsAt?: number } => (endsAt === undefined ? {} : { endsAt });

/** What a finished pass leaves behind (DESIGN §3.5). */
export interface Finished {
  readonly resourceVersion: string | undefined;
  readonly epoch: string;
  readonly attempts: number;
  readonly failingSince?: number | undefined;
  readonly unregisteredAt?: number | undefined;
  readonly dueAt: number;
  /** As the record has it. */
  readonly restSeconds?: number | undefined;
  readonly edges: readonly Dependency[] | undefined;
  readonly memory?: string | undefined;
  /** Versions of children that the pass decided on, as tokens of the skip rule. */
  readonly seen?: readonly string[];
}

/** Records and edges of all clusters. */
export class Records {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  async read(target: TargetKey): Promise<ObjectRecord> {
    const item = (await this.#table.get(recordKey(target), recordSortKey)) ?? {};
    return {
      version: text(item, 'version'),
      resourceVersion: text(item, 'resourceVersion'),
      epoch: text(item, 'epoch'),
      attempts: number(item, 'attempts') ?? 0,
      failingSince: number(item, 'failingSince'),
      unregisteredAt: number(item, 'unregisteredAt'),
      dueAt: isParkingShard(number(item, 'dueShard')) ? undefined : number(item, 'dueAt'),
      restSeconds: number(item, 'restSeconds'),
      goneAt: number(item, 'goneAt'),
      edges: set(item, 'edges'),
      looseEdges: set(item, 'looseEdges'),
      fannedHash: text(item, 'fannedHash'),
      fannedVersion: text(item, 'fannedVersion'),
      fanningHash: text(item, 'fanningHash'),
      fanCursor: text(item, 'fanCursor'),
      memory: text(item, 'memory'),
      seen: text(item, 'seen')?.split(' ') ?? [],
    };
  }

  /**
   * Makes every edge in `wanted` exist; nothing is written when the record is sure of all of them (DESIGN §3.8). Only `finish` declares
   * them certain: a pass that dies before leaves an edge that no record knows, which is found out when it wakes somebody
   * (lib/reconcile/edges-that-woke.ts). Gives the record with them. @throws PermanentError `TooManyDependencies` before anything is written
   */
  async addEdges(target: TargetKey, record: ObjectRecord, wanted: readonly Dependency[]): Promise<ObjectRecord> {
    const missing = wanted.filter((dependency) => !record.edges.includes(showDependency(dependency)));
    if (missing.length === 0) return record;
    expectRoom(wanted.map(showDependency));
    await someAtOnce(missing, (dependency) =>
      this.#table.put(edgeKey(target.cluster, dependency), edgeSortKey(target)),
    );
    return { ...record, looseEdges: [...record.looseEdges, ...missing.map(showDependency)] };
  }

  /**
   * The last write of a pass, one item, unless somebody has written it since it was read: false then, and what the pass knew may be old. Edges
   * that are no longer wanted go just before it.
   */
  async finish(target: TargetKey, record: ObjectRecord, finished: Finished): Promise<boolean> {
    const pk = recordKey(target);
    const wanted = finished.edges?.map(showDependency);
    const { memory = '', seen = [] } = finished;
    const cleared = wanted === undefined ? record : await this.#clearEdges(target, record, wanted, finished.dueAt);
    if (cleared === undefined) return false;
    return this.#table.update(pk, recordSortKey, {
      expect: { version: cleared.version },
      set: {
        version: randomUUID(),
        resourceVersion: finished.resourceVersion,
        epoch: finished.epoch,
        attempts: finished.attempts,
        failingSince: finished.failingSince,
        unregisteredAt: finished.unregisteredAt,
        dueAt: finished.dueAt,
        dueShard: dueShardOf(pk),
        restSeconds: finished.restSeconds,
        memory: memory === '' || Buffer.byteLength(memory) > mostMemoryBytes ? undefined : memory,
        seen: seen.length === 0 || seen.length > mostSeenTokens ? undefined : seen.join(' '),
        ...(wanted === undefined ? {} : { edges: wanted }),
      },
      remove: ['goneAt', ...(wanted === undefined ? [] : ['looseEdges'])],
    });
  }

  /** First 404: remember when, and what may have to be cleared away; look again at `dueAt`. The version goes, so that nothing is skipped. */
  async markGone(target: TargetKey, record: ObjectRecord, goneAt: number, dueAt: number): Promise<void> {
    const pk = recordKey(target);
    await this.#table.update(pk, recordSortKey, {
      set: { goneAt, dueAt, dueShard: dueShardOf(pk) },
      remove: ['resourceVersion', 'restSeconds'],
      add: { looseEdges: edgesThatFit(record.looseEdges) },
    });
  }

  /** Second 404: edges first, then the record, unless somebody has seen the object meanwhile. */
  async forget(target: TargetKey, record: ObjectRecord): Promise<void> {
    if (record.goneAt === undefined || (await this.#clearEdges(target, record, [])) === undefined) return;
    await this.#table.delete(recordKey(target), recordSortKey, { attribute: 'goneAt', value: record.goneAt });
  }

  /** Forgets an object of a cluster that is no more: edges first, then the record, unless somebody has written it meanwhile. */
  async remove(target: TargetKey, record: ObjectRecord): Promise<void> {
    const cleared = await this.#clearEdges(target, record, []);
    if (cleared?.version === undefined) return;
    await this.#table.delete(recordKey(target), recordSortKey, { attribute: 'version', value: cleared.version });
  }

  /** A page of everybody who depends on exactly this dependency (name `*`: on the whole set). */
  async dependents(
    cluster: string,
    dependency: Dependency,
    page: { readonly limit: number; readonly from?: string | undefined },
  ): Promise<{ readonly targets: readonly TargetKey[]; readonly next: string | undefined }> {
    const { items, next } = await this.#table.queryPartition(edgeKey(cluster, dependency), page);
    return { targets: items.map((item) => dependentOf(cluster, text(item, 'sk') ?? '')), next };
  }

  /** Everything in a shard that is due at `now`, the longest overdue first, `after` the last one of an earlier page. */
  async due(shard: number, now: number, limit: number, after?: Due): Promise<readonly Due[]> {
    const items = await this.#table.queryDue(shard, now, {
      limit,
      after: after && { ...dueKeyOf(after.target), dueAt: after.dueAt },
    });
    return items.flatMap((item) => {
      const target = targetOfDueKey(text(item, 'pk') ?? '');
      const dueAt = number(item, 'dueAt');
      return target === undefined || dueAt === undefined ? [] : [{ target, dueAt }];
    });
  }

  /**
   * Moves a due time that was sent, if it is still the one that was seen: to `until`, or on from `now` by as long as the record says that its object may be
   * left alone, ten minutes if it says nothing. Only a finished pass replaces it (DESIGN §3.7).
   */
  async postpone({ target, dueAt }: Due, now: number, until?: number): Promise<boolean> {
    const { pk, sk } = dueKeyOf(target);
    const later = { dueAt: { than: now, by: 'restSeconds', orBy: postponeSeconds } };
    const moved = until === undefined ? { later } : { set: { dueAt: until } };
    return this.#table.update(pk, sk, { ...moved, expect: { dueAt, dueShard: dueShardOf(pk) } });
  }

  /**
   * Parks a target behind its cluster, which is down: it has no due time of its own any more, and waits until the cluster's circuit, which has
   * one, finds it back (DESIGN §3.14). `now` is its place among others.
   */
  async parkBehindCluster(target: TargetKey, lane: ParkingLane, now: number): Promise<void> {
    await this.#table.update(recordKey(target), recordSortKey, {
      set: { version: randomUUID(), dueAt: now, dueShard: parkingShardOf(target.cluster, lane) },
    });
  }

  /** As `parkBehindCluster`, of one whose time has come, if that is still what was seen. */
  async parkDue({ target, dueAt }: Due, now: number): Promise<boolean> {
    const pk = recordKey(target);
    return this.#table.update(pk, recordSortKey, {
      set: { version: randomUUID(), dueAt: now, dueShard: parkingShardOf(target.cluster, 'later') },
      expect: { dueAt, dueShard: dueShardOf(pk) },
    });
  }

  /** A page of those that are parked behind a cluster, in order, `after` the last one of an earlier page; and that last one, who may be another cluster's. */
  async parked(
    cluster: string,
    lane: ParkingLane,
    limit: number,
    after?: Due,
  ): Promise<{ readonly dues: readonly Due[]; readonly last: Due | undefined; readonly isLast: boolean }> {
    const page = await this.due(parkingShardOf(cluster, lane), Number.MAX_SAFE_INTEGER, limit, after);
    return {
      dues: page.filter(({ target }) => target.cluster === cluster),
      last: page.at(-1) ?? after,
      isLast: page.length < limit,
    };
  }

  /** Gives one that was parked and has been sent a due time of its own again, unless a pass has already. */
  async unpark({ target, dueAt }: Due, lane: ParkingLane, until: number): Promise<boolean> {
    const pk = recordKey(target);
    return this.#table.update(pk, recordSortKey, {
      set: { dueAt: until, dueShard: dueShardOf(pk) },
      expect: { dueAt, dueShard: parkingShardOf(target.cluster, lane) },
    });
  }

  /** Has a target looked at again at `dueAt`, whatever a pass that is under way finds. */
  async park(target: TargetKey, dueAt: number): Promise<void> {
    const pk = recordKey(target);
    const version = randomUUID();
    const set = { version, dueAt, dueShard: dueShardOf(pk), restSeconds: undefined };
    await this.#table.update(pk, recordSortKey, { set });
  }

  /** Deletes a record without edges, if its due time is still `dueAt`: whoever has set another wants to be woken. */
  async drop(target: TargetKey, dueAt: number): Promise<void> {
    await this.#table.delete(recordKey(target), recordSortKey, { attribute: 'dueAt', value: dueAt });
  }

  /**
   * Says that some dependents may have been told `fanningHash` from now on, and none of them yet. `endsAt` (Unix seconds): when all that is known of
   * telling may be dropped, of an object without passes, which nobody else looks after. Then they are told once more.
   */
  async beginFan(target: TargetKey, fanningHash: string, endsAt?: number): Promise<void> {
    await this.#table.update(recordKey(target), recordSortKey, {
      set: { fanningHash, ...kept(endsAt) },
      remove: ['fanCursor'],
    });
  }

  /** Remembers how far telling the dependents has come. */
  async saveFanCursor(target: TargetKey, fanCursor: string): Promise<void> {
    await this.#table.update(recordKey(target), recordSortKey, { set: { fanCursor } });
  }

  /** All dependents have been told `fannedHash`, which `fannedVersion` has. `endsAt` as in `beginFan`. */
  async finishFan(target: TargetKey, fannedHash: string, fannedVersion: string, endsAt?: number): Promise<void> {
    await this.#table.update(recordKey(target), recordSortKey, {
      set: { fannedHash, fannedVersion, ...kept(endsAt) },
      remove: ['fanningHash', 'fanCursor'],
    });
  }

  /** A later version looks to dependents as the one that they were told of. `endsAt` as in `beginFan`. */
  async alsoFanned(target: TargetKey, fannedHash: string, fannedVersion: string, endsAt?: number): Promise<void> {
    const set = { fannedVersion, ...kept(endsAt) };
    await this.#table.update(recordKey(target), recordSortKey, { set, expect: { fannedHash } });
  }

  /**
   * The telling of `fanningHash` is over and nothing need be remembered of it: nobody depends on the object, or it is gone. `hasPasses`
   * says whether its record holds anything else; without, it goes as a whole.
   */
  async forgetFan(target: TargetKey, fanningHash: string, hasPasses: boolean): Promise<void> {
    const pk = recordKey(target);
    if (!hasPasses) await this.#table.delete(pk, recordSortKey, { attribute: 'fanningHash', value: fanningHash });
    else
      await this.#table.update(pk, recordSortKey, {
        remove: ['fannedHash', 'fannedVersion', 'fanningHash', 'fanCursor'],
        expect: { fanningHash },
      });
  }

  /**
   * Deletes every edge that may exist and is not in `kept`. The record stops relying on them first: dying in between must not leave an edge that is
   * believed in and not there, since nobody would be woken through it. Gives the record as it then is; undefined, and nothing is deleted, when
   * somebody has written it since it was read, as they may rely on one of these.
   */
  async #clearEdges(
    target: TargetKey,
    record: ObjectRecord,
    kept: readonly string[],
    dueAt = record.dueAt,
  ): Promise<ObjectRecord | undefined> {
    const unwanted = record.edges.filter((edge) => !kept.includes(edge));
    const loose = record.looseEdges.filter((edge) => !kept.includes(edge));
    const going = [...new Set([...unwanted, ...loose])];
    if (going.length === 0) return record;
    const version = randomUUID();
    const edges = record.edges.filter((edge) => kept.includes(edge));
    const pk = recordKey(target);
    const due = dueAt === undefined ? {} : { dueAt, dueShard: dueShardOf(pk) };
    const claimed = await this.#table.update(pk, recordSortKey, {
      expect: { version: record.version },
      set: { version, ...due, ...(unwanted.length === 0 ? {} : { edges }) },
      add: unwanted.length === 0 ? {} : { looseEdges: unwanted },
    });
    if (!claimed) return undefined;
    await someAtOnce(going, (edge) =>
      this.#table.delete(edgeKey(target.cluster, parseDependency(edge)), edgeSortKey(target)),
    );
    return { ...record, version };
  }
}
