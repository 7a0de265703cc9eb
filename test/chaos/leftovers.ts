/** What may not be left in the table and the cluster once everything has come to rest (DESIGN §3.7, §3.8). */
import type { DatabaseSync } from 'node:sqlite';
import { collectionPath } from '../../lib/kube/resources.ts';
import { kindTable } from '../../lib/reconcile/kind-table.ts';
import { recordKey, targetOfRecordKey } from '../../lib/state/keys.ts';
import { cluster, type World } from './world.ts';

interface Row {
  readonly pk: string;
  readonly sk: string;
  readonly due_at: number | null;
  readonly attributes: string;
}

/** Items that stay as long as the installation: a handful each. */
const lasting = /^(registration|relay|redrive)#/;

const rowsOf = (database: DatabaseSync): readonly Row[] =>
  database.prepare('SELECT pk, sk, due_at, attributes FROM item').all() as unknown as readonly Row[];

/** Objects that are there and that nothing will ever look at again. */
export const notDue = (world: World, database: DatabaseSync): readonly string[] => {
  const due = new Set(rowsOf(database).flatMap(({ pk, sk, due_at: at }) => (sk === 'record' && at !== null ? [pk] : [])));
  return kindTable
    .filter(({ watched }) => watched)
    .flatMap(({ kind }) =>
      world.store.all(kind).flatMap(({ metadata: { namespace = '', name } }) => {
        const isDue = due.has(recordKey({ cluster, kind, namespace, name }));
        return isDue ? [] : [`${kind} ${namespace}/${name} has no due time`];
      }),
    );
};

/** Items that nothing will ever clear away. */
export const withoutEnd = (database: DatabaseSync): readonly string[] => {
  const rows = rowsOf(database);
  const records = new Set(rows.filter(({ sk, due_at: at }) => sk === 'record' && at !== null).map(({ pk }) => pk));
  return rows.flatMap(({ pk, sk, due_at: at, attributes }) => {
    if (at !== null || lasting.test(pk)) return [];
    const { endsAt } = JSON.parse(attributes) as { readonly endsAt?: number };
    if (endsAt !== undefined) return [];
    // A poll's revisions go with it, an edge with who depends, a hook's entry with its poll.
    if (records.has(pk)) return [];
    const [kind = '', namespace = '', ...name] = sk.split('#');
    if (pk.startsWith('edge#') && records.has(recordKey({ cluster, kind, namespace, name: name.join('#') }))) return [];
    if (pk.startsWith('hook#') && records.has(`object#${sk}`)) return [];
    if (pk.startsWith('slots#')) {
      const { holders = [] } = JSON.parse(attributes) as { readonly holders?: readonly string[] };
      return sk === 'holders' && holders.length === 0 ? [] : [`${pk} ${sk} is left: ${attributes.slice(0, 200)}`];
    }
    return [`${pk} ${sk} is left, without a due time or an end`];
  });
};

/** Records of objects that are gone, and that are due no more than a day from now. */
export const ofTheGone = (world: World, database: DatabaseSync): readonly string[] =>
  rowsOf(database).flatMap(({ pk, sk }) => {
    const target = sk === 'record' ? targetOfRecordKey(pk) : undefined;
    if (target === undefined || !kindTable.some(({ kind, watched }) => watched && kind === target.kind)) return [];
    const path = `${collectionPath(target.kind, target.namespace)}/${target.name}`;
    return world.store.find(path) === undefined ? [`${target.kind} ${target.namespace}/${target.name} is gone and remembered`] : [];
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
