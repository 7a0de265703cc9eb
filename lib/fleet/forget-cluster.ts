/**
 * Everything of a cluster goes out of the table: records, edges, polls, slots, circuits, what its relay wrote. Done again it changes nothing; a death
 * in between leaves the rest for the next time. The registration goes before (`Clusters.remove`), so that functions end what they do for the cluster.
 */
import { randomUUID } from 'node:crypto';
import { set, text } from '../state/attributes.ts';
import { belongsTo, itemType, membersOf, sharedSets } from '../state/belongs.ts';
import { waitingOf } from '../state/keys.ts';
import type { Scan } from '../state/scan.ts';
import type { Item, Table } from '../state/table.ts';

/** What forgetting needs. */
export interface ForgetPorts {
  readonly table: Table;
  readonly scan: Scan;
}

/** How many items of the cluster there are or were, by the first word of their keys; `member`: entries in what all clusters share. */
export type Counted = Readonly<Record<string, number>>;

/** Deletions at once. */
const atOnce = 25;
/** Somebody else changes what is shared at the same time. */
const tries = 10;

/** All counts together. */
export const total = (counted: Counted): number => Object.values(counted).reduce((sum, count) => sum + count, 0);

/** Reads the whole table and counts what is the cluster's. @throws StateError */
export const countOfCluster = async (
  scan: Scan,
  cluster: string,
  tell: (read: number) => void = () => undefined,
): Promise<Counted> => {
  const counts = new Map<string, number>();
  const add = (type: string, count: number): void => void counts.set(type, (counts.get(type) ?? 0) + count);
  let read = 0;
  for await (const page of scan.pages()) {
    for (const item of page)
      if (belongsTo(item, cluster)) add(itemType(item), 1);
      else if (membersOf(item, cluster).length > 0) add('member', membersOf(item, cluster).length);
    read += page.length;
    tell(read);
  }
  return Object.fromEntries(counts);
};

/** Takes the cluster's members out of what all share. What holds of an item decides which of its writes ours must not undo. */
const leaveShared = async (table: Table, found: Item, cluster: string): Promise<void> => {
  const [pk, sk] = [text(found, 'pk') ?? '', text(found, 'sk') ?? ''];
  let item: Item | undefined = found;
  for (let attempt = 0; attempt < tries && item !== undefined; attempt += 1) {
    if (membersOf(item, cluster).length === 0) return;
    const changed: Record<string, readonly string[] | string | undefined> = {};
    for (const name of sharedSets)
      if (item[name] !== undefined) changed[name] = set(item, name).filter((one) => !one.startsWith(`${cluster}#`));
    const turn = text(item, 'turn');
    if (turn?.startsWith(waitingOf({ cluster, namespace: '' }).slice(0, -1)) === true) changed['turn'] = undefined;
    const isSlots = item['holders'] !== undefined;
    const suspectedAt = item['suspectedAt'];
    const expect = isSlots
      ? { version: text(item, 'version') }
      : { suspectedAt: typeof suspectedAt === 'number' ? suspectedAt : undefined };
    if (await table.update(pk, sk, { set: { ...changed, ...(isSlots && { version: randomUUID() }) }, expect })) return;
    item = await table.get(pk, sk);
  }
};

/** Deletes what is the cluster's; gives what was deleted. `tell` hears how many items are gone. @throws StateError */
export const forgetCluster = async (
  { table, scan }: ForgetPorts,
  cluster: string,
  tell: (gone: number) => void = () => undefined,
): Promise<Counted> => {
  const counts = new Map<string, number>();
  let gone = 0;
  const forget = async (item: Item): Promise<void> => {
    if (belongsTo(item, cluster)) {
      await table.delete(text(item, 'pk') ?? '', text(item, 'sk') ?? '');
      counts.set(itemType(item), (counts.get(itemType(item)) ?? 0) + 1);
      gone += 1;
      tell(gone);
    } else if (membersOf(item, cluster).length > 0) {
      await leaveShared(table, item, cluster);
      counts.set('member', (counts.get('member') ?? 0) + membersOf(item, cluster).length);
    }
  };
  for await (const page of scan.pages())
    for (let from = 0; from < page.length; from += atOnce)
      await Promise.all(page.slice(from, from + atOnce).map(forget));
  return Object.fromEntries(counts);
};
