/**
 * What a relay in this process has received: of each kind the version up to which its events have come in, and objects that others depend on, as they
 * were read since their last event. Whoever declares a dependency and then reads it not older than that misses nothing: a change that was told to
 * dependents before they were known had been received, and a later one will be told to them (DESIGN §3.8). On AWS the relay is another process,
 * nothing is known here, and what is depended on is read from the store.
 */
import type { KubeObject, ObjectKey } from '../kube/object.ts';
import { isNewer } from '../kube/versions.ts';

/** A watch that is open and blind is found out sooner (lib/kube/watch-times.ts). */
const keptMilliseconds = 60_000;
/** Of each kind: the builders, stores and accounts of some dozen namespaces. What is longer than the second is read each time. */
const mostKept = 64;
const mostCharacters = 131_072;
const mostCharactersOfAll = 524_288;

/** The newest version that was read, and the object in it while no event has come since. */
interface Kept {
  readonly version: string;
  readonly object: KubeObject | undefined;
  readonly until: number;
  readonly characters: number;
}

interface Known {
  readonly epoch: string;
  version: string;
  /** Changes with everything that comes in: what was asked for before may be older than it. */
  turn: number;
  /** False while its watch is interrupted. */
  isFollowed: boolean;
  /** By namespace and name, the oldest first. */
  readonly objects: Map<string, Kept>;
  characters: number;
}

/** How an object is read. */
export interface ReadOptions {
  /** A version of it that a message told the pass of: its event may have come to another process alone. */
  readonly told?: string | undefined;
  /** Nothing that is kept will do. */
  readonly isFresh: boolean;
}

/** Whose event it is. */
type Named = Pick<ObjectKey, 'name' | 'namespace'>;

const shown = ({ namespace, name }: Named): string => `${namespace}/${name}`;

/** One object is handed to many passes: none may change it for the others. */
const frozen = <T>(value: T): T => {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const member of Object.values(value)) frozen(member);
  return Object.freeze(value);
};

/** By cluster and kind: as many as are watched. */
export class Received {
  readonly #clock: () => Date;
  readonly #known = new Map<string, Known>();

  constructor(clock: () => Date) {
    this.#clock = clock;
  }

  /**
   * A list or events up to this version have come in; what hands them on goes on afterwards. `changed` names whose events they are; without it anything
   * may have changed. Versions of an older epoch are forgotten.
   */
  note(cluster: string, kind: string, epoch: string, version: string, changed?: readonly Named[]): void {
    const key = `${cluster}/${kind}`;
    const before = this.#known.get(key);
    if (before?.epoch !== epoch) {
      this.#known.set(key, { epoch, version, turn: 0, isFollowed: true, objects: new Map(), characters: 0 });
      return;
    }
    if (before.version === '' || isNewer(version, before.version)) before.version = version;
    before.turn += 1;
    before.isFollowed = true;
    if (changed === undefined) outdateAll(before);
    else for (const one of changed) outdate(before, shown(one));
  }

  /** The watch of a kind was interrupted: what changes is not heard of until it comes in again. */
  lost(cluster: string, kind: string): void {
    const known = this.#known.get(`${cluster}/${kind}`);
    if (known === undefined) return;
    known.turn += 1;
    known.isFollowed = false;
    outdateAll(known);
  }

  /**
   * The version that an object of this epoch need not be newer than: what has come in of its kind, or a newer one in which it was read. Nobody in this
   * process is shown an older one than somebody was before. Undefined while nothing has come in.
   */
  version(cluster: string, key: ObjectKey, epoch: string): string | undefined {
    const known = this.#known.get(`${cluster}/${key.kind}`);
    if (known?.epoch !== epoch || known.version === '') return undefined;
    const read = known.objects.get(shown(key))?.version ?? '';
    return isNewer(read, known.version) ? read : known.version;
  }

  /**
   * An object that the caller has declared to depend on: as it was read since its last event, or else what `ask` comes to. Nobody may change it.
   * @throws what `ask` throws
   */
  async read<T extends KubeObject>(
    cluster: string,
    epoch: string,
    key: ObjectKey,
    { told = '', isFresh }: ReadOptions,
    ask: () => Promise<T | undefined>,
  ): Promise<T | undefined> {
    const known = this.#known.get(`${cluster}/${key.kind}`);
    if (known?.epoch !== epoch || known.version === '') return ask();
    const now = this.#clock().getTime();
    const kept = known.objects.get(shown(key));
    const mayServe = !isFresh && known.isFollowed && kept !== undefined && !isNewer(told, kept.version);
    if (mayServe && kept.object !== undefined && kept.until > now) return kept.object as T;
    const { turn } = known;
    const object = await ask();
    const isCurrent = known.turn === turn && known.isFollowed;
    if (object !== undefined) keep(known, shown(key), object, { isCurrent, until: now + keptMilliseconds });
    return object;
  }
}

/** Forgets the object, and not that it was read in that version. */
const outdate = (known: Known, name: string): void => {
  const kept = known.objects.get(name);
  if (kept?.object === undefined) return;
  known.characters -= kept.characters;
  known.objects.set(name, { ...kept, object: undefined, characters: 0 });
};

const forget = (known: Known, name: string): void => {
  outdate(known, name);
  known.objects.delete(name);
};

const outdateAll = (known: Known): void => {
  for (const name of known.objects.keys()) outdate(known, name);
};

const keep = (
  known: Known,
  name: string,
  object: KubeObject,
  { isCurrent, until }: { readonly isCurrent: boolean; readonly until: number },
): void => {
  const version = object.metadata?.resourceVersion ?? '';
  if (isNewer(known.objects.get(name)?.version ?? '', version)) return;
  const { length: characters } = JSON.stringify(object);
  forget(known, name);
  const isKept = isCurrent && characters <= mostCharacters;
  known.objects.set(
    name,
    isKept
      ? { version, object: frozen(object), until, characters }
      : { version, object: undefined, until, characters: 0 },
  );
  known.characters += isKept ? characters : 0;
  for (const oldest of known.objects.keys()) {
    if (known.objects.size <= mostKept && known.characters <= mostCharactersOfAll) break;
    forget(known, oldest);
  }
};
