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

interface Kept {
  readonly object: KubeObject;
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
    if (changed === undefined) forgetAll(before);
    else for (const one of changed) forget(before, shown(one));
  }

  /** The watch of a kind was interrupted: what changes is not heard of until it comes in again. */
  lost(cluster: string, kind: string): void {
    const known = this.#known.get(`${cluster}/${kind}`);
    if (known === undefined) return;
    known.turn += 1;
    known.isFollowed = false;
    forgetAll(known);
  }

  /** The newest of them, of this epoch; undefined while there is none. */
  version(cluster: string, kind: string, epoch: string): string | undefined {
    const known = this.#known.get(`${cluster}/${kind}`);
    return known?.epoch === epoch && known.version !== '' ? known.version : undefined;
  }

  /**
   * An object that the caller has declared to depend on: as it was read since its last event, or else what `ask` comes to. Nobody may change it.
   * @throws what `ask` throws
   */
  async read<T extends KubeObject>(
    cluster: string,
    epoch: string,
    key: ObjectKey,
    ask: () => Promise<T | undefined>,
  ): Promise<T | undefined> {
    const known = this.#known.get(`${cluster}/${key.kind}`);
    if (known?.epoch !== epoch || known.version === '' || !known.isFollowed) return ask();
    const now = this.#clock().getTime();
    const kept = known.objects.get(shown(key));
    if (kept !== undefined && kept.until > now) return kept.object as T;
    const { turn } = known;
    const object = await ask();
    if (object !== undefined && known.turn === turn) keep(known, shown(key), frozen(object), now + keptMilliseconds);
    return object;
  }
}

const forget = (known: Known, name: string): void => {
  known.characters -= known.objects.get(name)?.characters ?? 0;
  known.objects.delete(name);
};

const forgetAll = (known: Known): void => {
  known.objects.clear();
  known.characters = 0;
};

const keep = (known: Known, name: string, object: KubeObject, until: number): void => {
  const { length: characters } = JSON.stringify(object);
  forget(known, name);
  if (characters > mostCharacters) return;
  known.objects.set(name, { object, until, characters });
  known.characters += characters;
  for (const oldest of known.objects.keys()) {
    if (known.objects.size <= mostKept && known.characters <= mostCharactersOfAll) break;
    forget(known, oldest);
  }
};
