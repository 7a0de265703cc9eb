/**
 * What waits to be sent to one queue: whatever comes from whomever goes out in full batches, several at once, and yet in order within a group.
 * A group has one entry under way at a time: SQS may refuse an entry and accept those behind it, in the same call or in the next.
 */

/** Something to send. */
export interface Entry {
  readonly group: string;
}

/** Sends a batch, in which no group occurs twice, and says of each entry as soon as it is accepted. @throws what is said of the others */
export type SendBatch<T extends Entry> = (batch: readonly T[], accepted: (entry: T) => void) => Promise<void>;

interface Waiting<T> {
  readonly entry: T;
  readonly accepted: () => void;
  readonly refused: (why: unknown) => void;
}

/** As SQS takes them. */
const batchSize = 10;
/** Calls at once: at 20 ms each, 8,000 messages a second. */
const mostCalls = 16;
/** With so many calls under way a batch waits until it is full or one of them has ended. */
const callsUnlessFull = 2;

/** The entries of one queue. */
export class Outbox<T extends Entry> {
  readonly #sendBatch: SendBatch<T>;
  /** By group, in order; the first is under way if the group is not among the ready ones. */
  readonly #groups = new Map<string, Waiting<T>[]>();
  /** Groups of which nothing is under way, in the order in which they are served. */
  readonly #ready = new Set<string>();
  #calls = 0;
  #isCalled = false;

  constructor(sendBatch: SendBatch<T>) {
    this.#sendBatch = sendBatch;
  }

  /** Resolves when all were accepted. @throws what the first that was not is said of; those behind it in its group are not sent */
  add(entries: readonly T[]): Promise<void> {
    return new Promise((resolve, reject) => {
      let left = entries.length;
      if (left === 0) return resolve();
      const accepted = (): void => {
        left -= 1;
        if (left === 0) resolve();
      };
      for (const entry of entries) {
        const group = this.#groups.get(entry.group);
        const waiting = { entry, accepted, refused: reject };
        if (group !== undefined) group.push(waiting);
        else {
          this.#groups.set(entry.group, [waiting]);
          this.#ready.add(entry.group);
        }
      }
      this.#call();
    });
  }

  /** Sends soon: whoever sends in the same moment is of the same batch. */
  #call(): void {
    if (this.#isCalled) return;
    this.#isCalled = true;
    queueMicrotask(() => {
      this.#isCalled = false;
      while (this.#calls < mostCalls && this.#ready.size > 0) {
        if (this.#calls >= callsUnlessFull && this.#ready.size < batchSize) return;
        void this.#send(this.#take());
      }
    });
  }

  #take(): ReadonlyMap<T, Waiting<T>> {
    const batch = new Map<T, Waiting<T>>();
    for (const group of this.#ready) {
      const first = this.#groups.get(group)?.[0];
      if (first !== undefined) batch.set(first.entry, first);
      this.#ready.delete(group);
      if (batch.size === batchSize) break;
    }
    return batch;
  }

  async #send(batch: ReadonlyMap<T, Waiting<T>>): Promise<void> {
    const left = new Map(batch);
    this.#calls += 1;
    try {
      await this.#sendBatch([...batch.keys()], (entry) => {
        const waiting = left.get(entry);
        if (waiting === undefined) return;
        left.delete(entry);
        this.#goOn(entry.group);
        waiting.accepted();
      });
    } catch (why) {
      for (const { group } of left.keys()) {
        for (const { refused } of this.#groups.get(group) ?? []) refused(why);
        this.#groups.delete(group);
      }
    } finally {
      this.#calls -= 1;
      this.#call();
    }
  }

  /** The first of a group is done: the next is ready. */
  #goOn(name: string): void {
    const group = this.#groups.get(name);
    group?.shift();
    if (group === undefined || group.length === 0) {
      this.#groups.delete(name);
      return;
    }
    this.#ready.add(name);
    this.#call();
  }
}
