/** The controller that deletes whatever none of its owners is there any more of, moments later (Kubernetes: "Garbage Collection", background). */
import type { Dice } from '../dice.ts';
import type { VirtualTime } from '../virtual-time.ts';
import type { ClusterStore, Stored } from './store.ts';

const longestMilliseconds = 4000;
const shortestMilliseconds = 50;

/** Starts it. What this gives looks at everything there is, as it does when it starts. */
export const collectGarbage = (store: ClusterStore, time: VirtualTime, dice: Dice): { lookAtAll(): void } => {
  const isOrphan = (object: Stored): boolean => {
    const owners = object.metadata.ownerReferences ?? [];
    return owners.length > 0 && owners.every(({ uid }) => !uids().has(uid));
  };
  let known: { readonly version: number; readonly uids: ReadonlySet<string> } | undefined;
  const uids = (): ReadonlySet<string> => {
    if (known?.version !== store.version)
      known = {
        version: store.version,
        uids: new Set(store.paths().flatMap((path) => store.find(path)?.metadata.uid ?? [])),
      };
    return known.uids;
  };
  const collect = (path: string): void => {
    const object = store.find(path);
    if (object !== undefined && isOrphan(object)) store.delete(object);
  };
  const soon = (path: string, object: Stored): void => {
    const name = `collect ${path} ${object.metadata.uid}`;
    time.in(dice.between(name, shortestMilliseconds, longestMilliseconds), () => collect(path), undefined);
  };
  const lookAtAll = (): void => {
    for (const path of store.paths()) {
      const object = store.find(path);
      if (object !== undefined && isOrphan(object)) soon(path, object);
    }
  };
  store.watchers.push(({ type, path }, object) => {
    if (type === 'DELETED') lookAtAll();
    else if (type === 'ADDED' && isOrphan(object)) soon(path, object);
  });
  return { lookAtAll };
};
