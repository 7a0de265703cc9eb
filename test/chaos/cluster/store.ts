/**
 * The objects of a cluster, with their history: versions, events, snapshots that it can be restored to. Every change is one version, as in etcd.
 * Objects are kept as text, so that nobody holds what somebody else changes.
 */
import { isDeepStrictEqual } from 'node:util';
import type { KubeMeta, KubeObject } from '../../../lib/kube/object.ts';
import { collectionPath } from '../../../lib/kube/resources.ts';

/** An object as the cluster keeps it. */
export interface Stored extends KubeObject {
  readonly kind: string;
  readonly metadata: KubeMeta & { readonly name: string; readonly uid: string; readonly resourceVersion: string };
  readonly spec?: unknown;
  readonly status?: unknown;
}

/** One change. */
export interface StoreEvent {
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** `/apis/kpack.io/v1alpha2/images`: of all namespaces. */
  readonly collection: string;
  readonly path: string;
  /** As it is from then on, or was last. */
  readonly text: string;
}

interface Snapshot {
  readonly atMs: number;
  readonly version: number;
  readonly objects: ReadonlyMap<string, string>;
}

const snapshotMilliseconds = 5000;
/** Older ones are of no use: nobody restores to them. */
const mostSnapshots = 40;

export const parsed = (text: string): Stored => JSON.parse(text) as Stored;
export const pathOf = ({ kind = '', metadata }: KubeObject): string =>
  `${collectionPath(kind, metadata?.namespace)}/${metadata?.name ?? ''}`;

/** What moves an object's generation. */
const desired = ({ metadata: _metadata, status: _status, ...rest }: Stored): object => rest;

const withoutVersion = ({ metadata, ...rest }: Stored): object => ({
  ...rest,
  metadata: { ...metadata, resourceVersion: '', managedFields: undefined },
});

/** The store. */
export class ClusterStore {
  #objects = new Map<string, string>();
  #events: StoreEvent[] = [];
  #snapshots: Snapshot[] = [];
  #uids = 0;
  #version = 1000;
  readonly #clock: () => number;
  /** Told of each change once it is made. */
  readonly watchers: ((event: StoreEvent, object: Stored) => void)[] = [];

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  get version(): number {
    return this.#version;
  }

  /** Changes after a version, in order. */
  eventsAfter(version: number): readonly StoreEvent[] {
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#events[middle]?.version ?? 0) > version) high = middle;
      else low = middle + 1;
    }
    return this.#events.slice(low);
  }

  find(path: string): Stored | undefined {
    const text = this.#objects.get(path);
    return text === undefined ? undefined : parsed(text);
  }

  /** As it was at a version that is not long past. */
  findAt(path: string, version: number): Stored | undefined {
    const later = this.eventsAfter(version).some((event) => event.path === path);
    if (!later) return this.find(path);
    const before = this.#events.findLast((event) => event.path === path && event.version <= version);
    return before === undefined || before.type === 'DELETED' ? undefined : parsed(before.text);
  }

  /** All of a kind, in the order of their names. */
  all(kind: string): readonly Stored[] {
    const collection = collectionPath(kind);
    return this.paths()
      .filter((path) => collectionOf(path) === collection)
      .flatMap((path) => this.find(path) ?? []);
  }

  /** Of everything there is, sorted. */
  paths(): readonly string[] {
    return [...this.#objects.keys()].sort();
  }

  /** Of everything there is, and of what has gone since a version, sorted. */
  pathsSince(version: number): readonly string[] {
    return [...new Set([...this.#objects.keys(), ...this.eventsAfter(version).map(({ path }) => path)])].sort();
  }

  /** Puts an object there that was not. */
  add(object: KubeObject): Stored {
    this.#uids += 1;
    const metadata = {
      ...object.metadata,
      uid: `uid-${this.#uids}`,
      generation: 1,
      creationTimestamp: this.#time(),
    };
    return this.#write('ADDED', { ...object, metadata } as Stored);
  }

  /** Changes it; what changes nothing keeps its version. */
  change(old: Stored, next: Stored): Stored {
    const isSame = isDeepStrictEqual(plain(withoutVersion(old)), plain(withoutVersion(next)));
    if (isSame) return old;
    const isOther = !isDeepStrictEqual(plain(desired(old)), plain(desired(next)));
    const generation = (old.metadata.generation ?? 1) + (isOther ? 1 : 0);
    const changed = this.#write('MODIFIED', { ...next, metadata: { ...next.metadata, generation } });
    const isOver = changed.metadata.deletionTimestamp !== undefined && (changed.metadata.finalizers ?? []).length === 0;
    if (isOver && changed.kind !== 'Pod') this.remove(changed);
    return changed;
  }

  /** Asks for its deletion: at once, unless somebody holds it. */
  delete(old: Stored): Stored {
    const isHeld = (old.metadata.finalizers ?? []).length > 0 || old.kind === 'Pod';
    if (!isHeld) return this.remove(old);
    if (old.metadata.deletionTimestamp !== undefined) return old;
    return this.change(old, { ...old, metadata: { ...old.metadata, deletionTimestamp: this.#time() } });
  }

  /** Takes it away. */
  remove(old: Stored): Stored {
    return this.#write('DELETED', old);
  }

  /** Back to what it was so many seconds ago, as far as it is known. Gives the version it has from then on. */
  restore(seconds: number): number {
    const until = this.#clock() - seconds * 1000;
    const snapshot = this.#snapshots.findLast(({ atMs }) => atMs <= until);
    if (snapshot === undefined) return this.#version;
    this.#objects = new Map(snapshot.objects);
    this.#version = snapshot.version;
    this.#events = this.#events.filter(({ version }) => version <= snapshot.version);
    this.#snapshots = this.#snapshots.filter(({ atMs }) => atMs <= until);
    return this.#version;
  }

  #time(): string {
    return new Date(this.#clock()).toISOString().replace(/\.\d+Z$/, 'Z');
  }

  #write(type: StoreEvent['type'], object: Stored): Stored {
    const now = this.#clock();
    const last = this.#snapshots.at(-1);
    if (last === undefined || now - last.atMs >= snapshotMilliseconds) {
      this.#snapshots.push({ atMs: now, version: this.#version, objects: new Map(this.#objects) });
      if (this.#snapshots.length > mostSnapshots) this.#snapshots.shift();
    }
    this.#version += 1;
    const resourceVersion = String(this.#version);
    const text = JSON.stringify({ ...object, metadata: { ...object.metadata, resourceVersion } });
    const path = pathOf(object);
    if (type === 'DELETED') this.#objects.delete(path);
    else this.#objects.set(path, text);
    const event = { version: this.#version, type, collection: collectionOf(path), path, text };
    this.#events.push(event);
    if (this.#events.length > 60_000) this.#events = this.#events.slice(-30_000);
    const stored = parsed(text);
    for (const watcher of this.watchers) watcher(event, stored);
    return stored;
  }
}

/** As JSON has it: without members that are undefined. */
const plain = (object: object): unknown => JSON.parse(JSON.stringify(object));

/** Where a path's kind lies, in all namespaces. */
export const collectionOf = (path: string): string =>
  path.replace(/\/namespaces\/[^/]+(?=\/[^/]+\/[^/]+$)/, '').replace(/\/[^/]+$/, '');
