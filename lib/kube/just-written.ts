/**
 * Objects that this process has written moments ago, for the pass that is woken by that: what its message chain has just written is not read again.
 * Each is handed out once, and only to who knows no newer version to exist, so it is what the API server's watch cache could answer (Kubernetes API
 * concepts, "Resource versions", get: not older than). Where another process runs that pass, it asks the API server.
 */
import { type KubeObject, type ObjectKey, showKey } from './object.ts';
import { isNewer } from './versions.ts';

/** From the answer to a write to the start of the pass that it wakes takes milliseconds. */
const keptMilliseconds = 5000;
const mostCharacters = 32_768;
/** So many of the usual length fit into that, so that a backlog of passes does not read what was written for it. */
const mostKept = 500;
const mostCharactersOfAll = 2_097_152;

interface Kept {
  readonly object: KubeObject;
  readonly until: number;
  readonly characters: number;
}

/** Those of one cluster. */
export class JustWritten {
  readonly #clock: () => Date;
  /** The oldest first. */
  readonly #kept = new Map<string, Kept>();
  #characters = 0;
  /** Writes that are under way: the watch may tell of one before it is answered. */
  readonly #writing = new Map<string, Promise<unknown>>();

  constructor(clock: () => Date) {
    this.#clock = clock;
  }

  /** Keeps what `writing` comes to, a write of `key` whose body has so many characters. What is long is not kept, which costs a read. */
  async keep<T extends KubeObject>(key: ObjectKey, characters: number, writing: Promise<T>): Promise<T> {
    if (characters > mostCharacters) return writing;
    const shown = showKey(key);
    this.#writing.set(shown, writing);
    try {
      const object = await writing;
      this.#forget(shown);
      this.#kept.set(shown, { object, until: this.#clock().getTime() + keptMilliseconds, characters });
      this.#characters += characters;
      for (const oldest of this.#kept.keys()) {
        if (this.#kept.size <= mostKept && this.#characters <= mostCharactersOfAll) break;
        this.#forget(oldest);
      }
      return object;
    } finally {
      if (this.#writing.get(shown) === writing) this.#writing.delete(shown);
    }
  }

  /** The object if this version of it, or a newer one, was written moments ago, or is just being; nobody gets it again. */
  async take(key: ObjectKey, notOlderThan: string): Promise<KubeObject | undefined> {
    const shown = showKey(key);
    const writing = this.#writing.get(shown);
    // Whoever writes hears of a failure.
    if (writing !== undefined) await writing.catch(() => undefined);
    const kept = this.#kept.get(shown);
    const { resourceVersion = '' } = kept?.object.metadata ?? {};
    if (kept === undefined || (resourceVersion !== notOlderThan && !isNewer(resourceVersion, notOlderThan)))
      return undefined;
    this.#forget(shown);
    return kept.until > this.#clock().getTime() ? kept.object : undefined;
  }

  #forget(shown: string): void {
    this.#characters -= this.#kept.get(shown)?.characters ?? 0;
    this.#kept.delete(shown);
  }
}
