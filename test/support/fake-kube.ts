/**
 * One cluster's API in memory, as the KubeClient that reconcilers see; objects go through JSON both ways, as on the wire.
 * Does: uid, resourceVersion (a write that changes nothing keeps it), generation (moves with everything but metadata and status),
 * creationTimestamp of one second's resolution, the status subresource (dropped by POST and PUT), conflicts by resourceVersion,
 * 404 and 409 as lib/kube makes them, finalizers, label selectors of equalities, merge patches; failures and deaths on demand.
 * Does not: schemas, defaults, pruning, admission, owners' garbage collection, watches, pages, server-side apply, logs. Rules about
 * those are tested on a real API server (test/contract, test/e2e).
 */
import type { PersistentVolumeClaim } from 'kubernetes-types/core/v1.d.ts';
import type { Build } from '../../lib/api/build.ts';
import type { Builder } from '../../lib/api/builder.ts';
import type { ClusterBuilder } from '../../lib/api/cluster-builder.ts';
import type { Image } from '../../lib/api/image.ts';
import type { SourceResolver } from '../../lib/api/source-resolver.ts';
import { type ExpectedError, PermanentError } from '../../lib/errors/expected.ts';
import type { KubeClient } from '../../lib/kube/client.ts';
import { KubeError } from '../../lib/kube/errors.ts';
import type { LogExcerpt } from '../../lib/kube/log-end.ts';
import { type KubeObject, keyOf, type ObjectKey, showKey } from '../../lib/kube/object.ts';
import { stableJson } from '../../lib/text/stable-json.ts';

/** Kinds that tests look at. */
export interface FakeKinds {
  readonly Image: Image;
  readonly Build: Build;
  readonly SourceResolver: SourceResolver;
  readonly Builder: Builder;
  readonly ClusterBuilder: ClusterBuilder;
  readonly PersistentVolumeClaim: PersistentVolumeClaim & KubeObject;
}

/** What was asked of the API. */
export interface FakeCall {
  readonly verb: 'get' | 'list' | 'create' | 'replace' | 'replaceStatus' | 'patch' | 'delete';
  /** `Build team/app-build-1`, for lists `Build team`; with `(refused)` when it existed already. */
  readonly what: string;
}

/** The process is gone: no reconciler may catch this. */
export class Died extends Error {
  override readonly name = 'Died';
}

/** A failure to come: of the next call with that verb whose object or list matches. */
interface Planned {
  readonly verb: FakeCall['verb'];
  readonly what: RegExp;
  readonly error: ExpectedError | PermanentError;
}

const reads = new Set<FakeCall['verb']>(['get', 'list']);

const copy = <T>(object: T): T => JSON.parse(JSON.stringify(object)) as T;

const mergePatch = (target: unknown, patch: unknown): unknown => {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const base: Record<string, unknown> = typeof target === 'object' && target !== null ? { ...target } : {};
  for (const [key, value] of Object.entries(patch))
    if (value === null) delete base[key];
    else base[key] = mergePatch(base[key], value);
  return base;
};

type Stored = KubeObject & { readonly status?: unknown };

/** What moves an object's generation. */
const desired = ({ metadata: _metadata, status: _status, ...rest }: Stored): string => stableJson(rest);

/** The test for a selector of equalities. The API server refuses one whose value could not be a label's. */
const selects = (selector: string): ((object: Stored) => boolean) => {
  const terms = selector
    .split(',')
    .filter((term) => term !== '')
    .map((term) => term.split('='));
  for (const [, value = ''] of terms)
    if (value.length > 63) throw new PermanentError('BadRequest', `label value ${value} is longer than 63 characters`);
  return ({ metadata }) => terms.every(([key = '', value = '']) => metadata?.labels?.[key] === value);
};

/** The API of a cluster that holds nothing yet. */
export class FakeKube implements KubeClient {
  token = (): Promise<never> => Promise.reject(new Error('nobody asks for tokens here'));
  /** The server's clock: what creationTimestamp says. */
  now = new Date('2026-01-01T10:00:00Z');
  /** While it is set, every call fails with it. */
  down: ExpectedError | undefined;
  readonly #objects = new Map<string, Stored>();
  readonly #planned: Planned[] = [];
  #calls: FakeCall[] = [];
  #version = 100;
  #writesToLive = Number.POSITIVE_INFINITY;

  /** Calls since the last `forget`, in order. */
  get calls(): readonly FakeCall[] {
    return this.#calls;
  }

  /** The writes among them, as `create Build team/app-build-1`. */
  get writes(): readonly string[] {
    return this.#calls.filter(({ verb }) => !reads.has(verb)).map(({ verb, what }) => `${verb} ${what}`);
  }

  /** How many of them were reads. */
  get readCount(): number {
    return this.#calls.filter(({ verb }) => reads.has(verb)).length;
  }

  /** Begins to count anew. */
  forget(): void {
    this.#calls = [];
  }

  /** Lets the process die right after its n-th write from now has reached the API. */
  dieAfterWrites(n: number): void {
    this.#writesToLive = n;
  }

  /** No death from now on. */
  live(): void {
    this.#writesToLive = Number.POSITIVE_INFINITY;
  }

  /** The next call of that verb whose object or list looks like `what` fails with `error`. */
  failNext(verb: FakeCall['verb'], what: RegExp, error: ExpectedError | PermanentError): void {
    this.#planned.push({ verb, what, error });
  }

  /** Puts an object there as somebody else would have: with its status, and what it says of itself in metadata. */
  put<T extends KubeObject>(object: T): T {
    this.#version += 1;
    const metadata = {
      uid: `uid-${this.#version}`,
      generation: 1,
      creationTimestamp: this.#time(),
      ...object.metadata,
      resourceVersion: String(this.#version),
    };
    const stored = copy({ ...object, metadata });
    this.#objects.set(showKey(keyOf(object)), stored);
    return copy(stored);
  }

  /** The object as it stands; undefined when there is none. */
  find<K extends keyof FakeKinds>(kind: K, name: string, namespace = 'team'): FakeKinds[K] | undefined {
    return this.#read({ kind, namespace, name }) as FakeKinds[K] | undefined;
  }

  /** All objects of a kind, by name. */
  all<K extends keyof FakeKinds>(kind: K): readonly FakeKinds[K][] {
    return this.#ofKind(kind) as readonly KubeObject[] as readonly FakeKinds[K][];
  }

  #ofKind(kind: string): readonly Stored[] {
    return [...this.#objects]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([, object]) => object)
      .filter((object) => object.kind === kind)
      .map((object) => copy(object));
  }

  /** Changes an object as a user or another controller does; status included. */
  edit<K extends keyof FakeKinds>(
    kind: K,
    name: string,
    change: (object: FakeKinds[K]) => FakeKinds[K],
    namespace = 'team',
  ): FakeKinds[K] {
    const found = this.find(kind, name, namespace);
    if (found === undefined) throw new Error(`${kind} ${namespace}/${name} is not in the fake cluster`);
    return copy(this.#update(found, copy(change(found)))) as FakeKinds[K];
  }

  /** Takes an object away, finalizers or not. */
  remove(kind: string, name: string, namespace = 'team'): void {
    this.#objects.delete(showKey({ kind, namespace, name }));
  }

  async get<T extends KubeObject>(key: ObjectKey): Promise<T | undefined> {
    await this.#begin('get', showKey(key));
    return this.#read(key) as T | undefined;
  }

  getForeign(): Promise<unknown> {
    return Promise.reject(new Error('the fake knows no foreign kinds'));
  }

  async list<T extends KubeObject>(
    kind: string,
    { namespace = '', labelSelector = '' }: { readonly namespace?: string; readonly labelSelector?: string } = {},
  ): Promise<readonly T[]> {
    await this.#begin('list', `${kind} ${namespace}`);
    const selected = selects(labelSelector);
    return (this.#ofKind(kind) as readonly T[]).filter(
      (object) => (namespace === '' || object.metadata?.namespace === namespace) && selected(object),
    );
  }

  async create<T extends KubeObject>(object: T): Promise<T> {
    const shown = showKey(keyOf(object));
    await this.#begin('create', shown);
    if (this.#objects.has(shown)) {
      this.#calls[this.#calls.length - 1] = { verb: 'create', what: `${shown} (refused)` };
      throw new KubeError('already-exists', `${shown} already exists`, {
        status: 409,
        objectName: object.metadata?.name,
      });
    }
    const { status: _status, ...rest } = copy<Stored>(object);
    return this.#written(this.put(rest)) as T;
  }

  async replace<T extends KubeObject>(object: T): Promise<T> {
    const old = await this.#current('replace', object);
    const { status: _status, ...rest } = copy<Stored>(object);
    return this.#written(
      this.#update(old, { ...rest, ...(old.status === undefined ? {} : { status: old.status }) }),
    ) as T;
  }

  async replaceStatus<T extends KubeObject>(object: T): Promise<T> {
    const old = await this.#current('replaceStatus', object);
    return this.#written(this.#update(old, { ...old, status: copy<Stored>(object).status })) as T;
  }

  async patch<T extends KubeObject>(key: ObjectKey, patch: object): Promise<T> {
    await this.#begin('patch', showKey(key));
    const old = this.#read(key) ?? this.#missing(key);
    return this.#written(this.#update(old, mergePatch(old, copy(patch)) as Stored)) as T;
  }

  apply(): Promise<never> {
    return Promise.reject(new Error('the fake does no server-side apply'));
  }

  async delete(object: KubeObject): Promise<void> {
    const key = keyOf(object);
    if (object.metadata?.uid === undefined) throw new Error(`refusing to delete ${showKey(key)} without its uid`);
    await this.#begin('delete', showKey(key));
    const found = this.#objects.get(showKey(key));
    if (found === undefined || found.metadata?.uid !== object.metadata.uid) return;
    if ((found.metadata.finalizers ?? []).length === 0) this.#objects.delete(showKey(key));
    else this.#update(found, { ...found, metadata: { ...found.metadata, deletionTimestamp: this.#time() } });
    this.#written(found);
  }

  logTail(): Promise<string> {
    return Promise.reject(new Error('the fake has no logs'));
  }

  logEnd(): Promise<LogExcerpt> {
    return Promise.reject(new Error('the fake has no logs'));
  }

  #read(key: ObjectKey): Stored | undefined {
    const found = this.#objects.get(showKey(key));
    return found === undefined ? undefined : copy(found);
  }

  #time(): string {
    return this.now.toISOString().replace(/\.\d+Z$/, 'Z');
  }

  /** Notes a call, and lets it fail when that was planned. */
  #begin(verb: FakeCall['verb'], what: string): Promise<void> {
    this.#calls.push({ verb, what });
    if (this.down !== undefined) return Promise.reject(this.down);
    const index = this.#planned.findIndex((planned) => planned.verb === verb && planned.what.test(what));
    if (index < 0) return Promise.resolve();
    const [planned] = this.#planned.splice(index, 1);
    return Promise.reject(planned?.error ?? new Error('nothing was planned'));
  }

  #missing(key: ObjectKey): never {
    throw new KubeError('not-found', `${showKey(key)} not found`, { status: 404, objectName: key.name });
  }

  /** The object that a PUT is about, if it is based on it as it now is. */
  async #current(verb: 'replace' | 'replaceStatus', object: KubeObject): Promise<Stored> {
    const key = keyOf(object);
    await this.#begin(verb, showKey(key));
    const old = this.#objects.get(showKey(key)) ?? this.#missing(key);
    const { resourceVersion, uid } = object.metadata ?? {};
    if (resourceVersion !== old.metadata?.resourceVersion || (uid !== undefined && uid !== old.metadata?.uid))
      throw new KubeError('conflict', `${showKey(key)}: the object has been modified`, {
        status: 409,
        objectName: key.name,
      });
    return old;
  }

  #update(old: Stored, next: Stored): Stored {
    const { uid, creationTimestamp, resourceVersion, generation = 1 } = old.metadata ?? {};
    const kept = { ...next.metadata, uid, creationTimestamp, resourceVersion, generation };
    const wanted = copy({ ...next, metadata: kept });
    if (stableJson(wanted) === stableJson(old)) return old;
    this.#version += 1;
    const moved = desired(wanted) === desired(old) ? generation : generation + 1;
    const stored = {
      ...wanted,
      metadata: { ...wanted.metadata, generation: moved, resourceVersion: String(this.#version) },
    };
    this.#objects.set(showKey(keyOf(stored)), copy(stored));
    return stored;
  }

  /** Answers a write, unless the process dies first. */
  #written(object: Stored): Stored {
    this.#writesToLive -= 1;
    if (this.#writesToLive <= 0) throw new Died(`the process died after writing ${showKey(keyOf(object))}`);
    return copy(object);
  }
}
