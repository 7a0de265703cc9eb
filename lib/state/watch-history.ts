/**
 * How far the watches of a cluster have come, and that its relay lives: what the relay writes, under a key that is bound to its identity
 * (DESIGN §3.26). All kinds are in one item, with the heartbeat, so that saying both is one write.
 */
import { number, set, text } from './attributes.ts';
import { historySortKey, placeSortKey, relayKey } from './keys.ts';
import type { Item, Table } from './table.ts';

/** What a relay says of itself. */
export interface Beat {
  /** Unix seconds. */
  readonly beatAt: number;
  /** For how long the oldest of what it has heard of, or is to hear of, has not been handed on; 0 when it is up to date. */
  readonly lagSeconds: number;
  /** Kinds whose watch is not established. */
  readonly notWatched: readonly string[];
}

/** Before the kind, in the name of the attribute that says how far it is. */
const versionPrefix = 'at_';

const versionsIn = (item: Item): ReadonlyMap<string, string> =>
  new Map(
    Object.entries(item).flatMap(([name, value]): readonly [string, string][] =>
      name.startsWith(versionPrefix) && typeof value === 'string' ? [[name.slice(versionPrefix.length), value]] : [],
    ),
  );

const attributesOf = (versions: ReadonlyMap<string, string>): Readonly<Record<string, string>> =>
  Object.fromEntries([...versions].map(([kind, version]) => [`${versionPrefix}${kind}`, version]));

/** Epochs, places and heartbeats of all clusters; a relay on AWS may read and write those of its own alone. */
export class WatchHistory {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  /** The epoch of the cluster's version history: `identity` (uid of kube-system) and how often it went back. */
  async epoch(cluster: string, identity: string): Promise<string> {
    const known = await this.#epoch(cluster);
    if (known?.startsWith(`${identity}.`) === true) return known;
    const fresh = `${identity}.0`;
    await this.#table.update(relayKey(cluster), historySortKey, { set: { epoch: fresh } });
    return fresh;
  }

  /** Whether the cluster was ever reached. */
  async isKnown(cluster: string): Promise<boolean> {
    return (await this.#epoch(cluster)) !== undefined;
  }

  /** The history went back: everything recorded under `epoch` says nothing any more. */
  async nextEpoch(cluster: string, epoch: string): Promise<string> {
    const dot = epoch.lastIndexOf('.');
    const next = `${epoch.slice(0, dot)}.${Number(epoch.slice(dot + 1)) + 1}`;
    await this.#table.update(relayKey(cluster), historySortKey, { set: { epoch: next } });
    return next;
  }

  /** By kind, the version up to which its events were accepted by the queues, in this epoch. */
  async checkpoints(cluster: string, epoch: string): Promise<ReadonlyMap<string, string>> {
    const item = (await this.#table.get(relayKey(cluster), placeSortKey)) ?? {};
    return item['epoch'] === epoch ? versionsIn(item) : new Map();
  }

  /**
   * Saves how far the kinds are that have moved, and the heartbeat: one write. False when the history has begun anew since, so that everything is to
   * be listed: the cluster was registered once more, or went back.
   */
  async save(cluster: string, epoch: string, moved: ReadonlyMap<string, string>, beat: Beat): Promise<boolean> {
    const [pk, sk] = [relayKey(cluster), placeSortKey];
    const said = { ...attributesOf(moved), ...beat };
    if (await this.#table.update(pk, sk, { set: said, expect: { epoch } })) return true;
    // The first of its epoch, or of one that is over. Looked at after the write: who begins anew changes the epoch before he forgets checkpoints.
    const old = [...versionsIn((await this.#table.get(pk, sk)) ?? {}).keys()].filter((kind) => !moved.has(kind));
    const remove = old.map((kind) => `${versionPrefix}${kind}`);
    await this.#table.update(pk, sk, { set: { epoch, ...said }, remove });
    return (await this.#epoch(cluster)) === epoch;
  }

  /** The heartbeat alone: of a relay that has not reached its cluster yet. */
  async beat(cluster: string, beat: Beat): Promise<void> {
    await this.#table.update(relayKey(cluster), placeSortKey, { set: { ...beat } });
  }

  /** What the relay of a cluster last said of itself; undefined when it has said nothing since the cluster was registered. */
  async lastBeat(cluster: string): Promise<Beat | undefined> {
    const item = (await this.#table.get(relayKey(cluster), placeSortKey)) ?? {};
    const beatAt = number(item, 'beatAt');
    if (beatAt === undefined) return undefined;
    return { beatAt, lagSeconds: number(item, 'lagSeconds') ?? 0, notWatched: set(item, 'notWatched') };
  }

  /** Nothing that was told of the cluster counts any more: its relay lists everything, when it starts or next saves how far it is. */
  async beginAnew(cluster: string): Promise<void> {
    const epoch = await this.#epoch(cluster);
    if (epoch !== undefined) await this.nextEpoch(cluster, epoch);
    await this.#table.delete(relayKey(cluster), placeSortKey);
  }

  async #epoch(cluster: string): Promise<string | undefined> {
    return text((await this.#table.get(relayKey(cluster), historySortKey)) ?? {}, 'epoch');
  }
}
