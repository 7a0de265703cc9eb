/** How far the watches of a cluster have come: what its relay writes, under a key that is bound to its identity (DESIGN §3.26). */
import { text } from './attributes.ts';
import { checkpointSortKey, historySortKey, relayKey } from './keys.ts';
import type { Table } from './table.ts';

/** Epochs and checkpoints of all clusters; a relay on AWS may read and write those of its own alone. */
export class WatchHistory {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  /** The epoch of the cluster's version history: `identity` (uid of kube-system) and how often it went back. */
  async epoch(cluster: string, identity: string): Promise<string> {
    const known = text((await this.#table.get(relayKey(cluster), historySortKey)) ?? {}, 'epoch');
    if (known?.startsWith(`${identity}.`) === true) return known;
    const fresh = `${identity}.0`;
    await this.#table.update(relayKey(cluster), historySortKey, { set: { epoch: fresh } });
    return fresh;
  }

  /** Whether the cluster was ever reached. */
  async isKnown(cluster: string): Promise<boolean> {
    return text((await this.#table.get(relayKey(cluster), historySortKey)) ?? {}, 'epoch') !== undefined;
  }

  /** The history went back: everything recorded under `epoch` says nothing any more. */
  async nextEpoch(cluster: string, epoch: string): Promise<string> {
    const dot = epoch.lastIndexOf('.');
    const next = `${epoch.slice(0, dot)}.${Number(epoch.slice(dot + 1)) + 1}`;
    await this.#table.update(relayKey(cluster), historySortKey, { set: { epoch: next } });
    return next;
  }

  /** The version up to which the events of `kind` were accepted by the queues, in this epoch. */
  async checkpoint(cluster: string, kind: string, epoch: string): Promise<string | undefined> {
    const item = await this.#table.get(relayKey(cluster), checkpointSortKey(kind));
    return item?.['epoch'] === epoch ? text(item, 'resourceVersion') : undefined;
  }

  async saveCheckpoint(cluster: string, kind: string, epoch: string, resourceVersion: string): Promise<void> {
    await this.#table.update(relayKey(cluster), checkpointSortKey(kind), { set: { epoch, resourceVersion } });
  }
}
