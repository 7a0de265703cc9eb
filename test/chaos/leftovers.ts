/** What may not be left in the table and the cluster once everything has come to rest (DESIGN §3.7, §3.8). */
import type { DatabaseSync } from 'node:sqlite';
import { collectionPath } from '../../lib/kube/resources.ts';
import { kindTable, mayHaveDependents, rowOf } from '../../lib/reconcile/kind-table.ts';
import { recordKey, rowSortKey, targetOfRecordKey } from '../../lib/state/keys.ts';
import { cluster, type World } from './world.ts';

interface Row {
  readonly pk: string;
  readonly sk: string;
  readonly due_at: number | null;
  readonly attributes: string;
}

/** Items that stay as long as the installation: a handful each. */
const lasting = /^(?:clusters$|(?:registration|relay|redrive|slots)#)/;

const rowsOf = (database: DatabaseSync): readonly Row[] =>
  database.prepare('SELECT pk, sk, due_at, attributes FROM item').all() as unknown as readonly Row[];

/** Objects that are there, and polls, that nothing will ever look at again. */
export const notDue = (world: World, database: DatabaseSync): readonly string[] => {
  const rows = rowsOf(database);
  const due = new Set(rows.flatMap(({ pk, sk, due_at: at }) => (sk === 'record' && at !== null ? [pk] : [])));
  const paged = new Set(inPages(rows, due));
  const polls = rows.flatMap(({ pk, sk, attributes }) => {
    const isPoll =
      sk === 'record' && (JSON.parse(attributes) as { readonly watchVersion?: string }).watchVersion !== undefined;
    return isPoll && !due.has(pk) && !paged.has(pk) ? [`${pk} is due neither by itself nor with a page`] : [];
  });
  const objects = kindTable
    .filter(({ watched }) => watched)
    .flatMap(({ kind }) =>
      world.store.all(kind).flatMap(({ metadata: { namespace = '', name } }) => {
        const isDue = due.has(recordKey({ cluster, kind, namespace, name }));
        return isDue ? [] : [`${kind} ${namespace}/${name} has no due time`];
      }),
    );
  return [...polls, ...objects];
};

/** Whether there is an object, watched or not, that a record is about. */
const exists = (world: World, pk: string): boolean => {
  const target = targetOfRecordKey(pk);
  if (target === undefined || !(mayHaveDependents(target.kind) || rowOf(target.kind)?.watched === true)) return false;
  return world.store.find(`${collectionPath(target.kind, target.namespace)}/${target.name}`) !== undefined;
};

/** Keys of the polls that lie in the page which they name, if that is due. */
const inPages = (rows: readonly Row[], due: ReadonlySet<string>): readonly string[] => {
  const items = new Set(rows.map(({ pk, sk }) => `${pk} ${sk}`));
  return rows.flatMap(({ pk, sk, attributes }) => {
    const { page } = JSON.parse(attributes) as { readonly page?: string };
    const poll = targetOfRecordKey(pk);
    if (sk !== 'record' || page === undefined || poll === undefined) return [];
    const pageKey = recordKey({ ...poll, namespace: '', name: page });
    return due.has(pageKey) && items.has(`${pageKey} ${rowSortKey(poll)}`) ? [pk] : [];
  });
};

/**
 * Items that nothing will ever clear away. Slots are left alone: their number is bounded by the cap, and holders are looked at when somebody waits
 * (lib/builds/cap.ts).
 */
export const withoutEnd = (world: World, database: DatabaseSync): readonly string[] => {
  const rows = rowsOf(database);
  const due = new Set(rows.filter(({ sk, due_at: at }) => sk === 'record' && at !== null).map(({ pk }) => pk));
  // A poll is due with its page, in which it has to lie.
  const records = new Set([...due, ...inPages(rows, due)]);
  return rows.flatMap(({ pk, sk, due_at: at, attributes }) => {
    if (at !== null || lasting.test(pk)) return [];
    const { endsAt } = JSON.parse(attributes) as { readonly endsAt?: number };
    // A poll's revisions go with it, an edge with who depends, a hook's entry with its poll, what dependents were told with the object.
    const [kind = '', namespace = '', ...name] = sk.split('#');
    const isKept =
      endsAt !== undefined ||
      records.has(pk) ||
      (pk.startsWith('edge#') && records.has(recordKey({ cluster, kind, namespace, name: name.join('#') }))) ||
      (pk.startsWith('hook#') && records.has(`object#${sk}`)) ||
      exists(world, pk);
    return isKept ? [] : [`${pk} ${sk} is left, without a due time or an end: ${attributes.slice(0, 200)}`];
  });
};

/** Records of objects that are gone, and that are due no more than a day from now. */
export const ofTheGone = (world: World, database: DatabaseSync): readonly string[] =>
  rowsOf(database).flatMap(({ pk, sk }) => {
    const target = sk === 'record' ? targetOfRecordKey(pk) : undefined;
    if (target === undefined || !kindTable.some(({ kind, watched }) => watched && kind === target.kind)) return [];
    const path = `${collectionPath(target.kind, target.namespace)}/${target.name}`;
    return world.store.find(path) === undefined
      ? [`${target.kind} ${target.namespace}/${target.name} is gone and remembered`]
      : [];
  });

/** Children whose owner is gone. */
export const orphans = (world: World): readonly string[] => {
  const uids = new Set(world.store.paths().map((path) => world.store.find(path)?.metadata.uid ?? ''));
  return ['Pod', 'Build', 'SourceResolver', 'PersistentVolumeClaim'].flatMap((kind) =>
    world.store.all(kind).flatMap(({ metadata }) => {
      const owners = metadata.ownerReferences ?? [];
      const isOrphan = owners.length > 0 && !owners.some(({ uid }) => uids.has(uid));
      return isOrphan ? [`${kind} ${metadata.namespace}/${metadata.name} outlives its owner`] : [];
    }),
  );
};
