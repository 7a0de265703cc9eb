/** How far the watches of a cluster have come: what its relay writes, under a key that is bound to its identity (DESIGN §3.26). */
import { text } from './attributes.ts';
import { checkpointSortKey, historySortKey, isCheckpoint, relayKey } from './keys.ts';
import type { Table } from './table.ts';

/** More checkpoints than there are kinds that are watched. */
const checkpointsPerPage = 100;

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

  /** False when the history has begun anew since, so that everything is to be listed: the cluster was registered once more, or went back. */
  async saveCheckpoint(cluster: string, kind: string, epoch: string, resourceVersion: string): Promise<boolean> {
    const [pk, sk] = [relayKey(cluster), checkpointSortKey(kind)];
    if (await this.#table.update(pk, sk, { set: { resourceVersion }, expect: { epoch } })) return true;
    // The first of its epoch, or of one that is over. Looked at after the write: who begins anew changes the epoch before he forgets checkpoints.
    await this.#table.update(pk, sk, { set: { epoch, resourceVersion } });
    return text((await this.#table.get(pk, historySortKey)) ?? {}, 'epoch') === epoch;
  }

  /** Nothing that was told of the cluster counts any more: its relay lists everything, when it starts or next saves how far it is. */
  async beginAnew(cluster: string): Promise<void> {
    const pk = relayKey(cluster);
    const epoch = text((await this.#table.get(pk, historySortKey)) ?? {}, 'epoch');
    if (epoch !== undefined) await this.nextEpoch(cluster, epoch);
    const { items } = await this.#table.queryPartition(pk, { limit: checkpointsPerPage });
    for (const item of items) {
      const sk = text(item, 'sk') ?? '';
      if (isCheckpoint(sk)) await this.#table.delete(pk, sk);
    }
  }
}
