/** What is due in all shards, the oldest first: sixteen sorted streams made one (DESIGN §3.7). A shard that cannot be read leaves the others alone. */
import { dueShards } from '../state/keys.ts';
import type { Due, Records } from '../state/records.ts';

/** Read of a shard at once. */
const pageSize = 200;

interface Shard {
  readonly number: number;
  /** Read and not taken, the oldest first. */
  waiting: readonly Due[];
  /** Behind which the next page begins. */
  last: Due | undefined;
  /** Nothing more is read of it. */
  isRead: boolean;
}

/** Something that is due, and the shard it was found in. */
export interface Found {
  readonly due: Due;
  readonly shard: number;
}

/** The due times of one sweep. What was taken once does not come again, although it may still be in the index. */
export class DueInOrder {
  readonly #records: Pick<Records, 'due'>;
  readonly #now: number;
  readonly #failed: (why: unknown) => void;
  readonly #shards: readonly Shard[] = Array.from({ length: dueShards }, (_, number) => ({
    number,
    waiting: [],
    last: undefined,
    isRead: false,
  }));

  /** Everything due at `now` (Unix seconds). `failed` is told of each shard that could not be read. */
  constructor(records: Pick<Records, 'due'>, now: number, failed: (why: unknown) => void) {
    this.#records = records;
    this.#now = now;
    this.#failed = failed;
  }

  /** The next ones in order of age, `most` of them or fewer; none when there are no more. */
  async take(most: number): Promise<readonly Found[]> {
    await Promise.all(
      this.#shards.filter(({ waiting, isRead }) => waiting.length === 0 && !isRead).map((shard) => this.#read(shard)),
    );
    const taken: Found[] = [];
    const at = new Map<Shard, number>();
    const headOf = (shard: Shard): Due | undefined => shard.waiting[at.get(shard) ?? 0];
    while (taken.length < most) {
      let oldest: Shard | undefined;
      for (const shard of this.#shards)
        if (
          (headOf(shard)?.dueAt ?? Number.POSITIVE_INFINITY) <
          ((oldest && headOf(oldest))?.dueAt ?? Number.POSITIVE_INFINITY)
        )
          oldest = shard;
      const due = oldest && headOf(oldest);
      if (oldest === undefined || due === undefined) break;
      taken.push({ due, shard: oldest.number });
      const next = (at.get(oldest) ?? 0) + 1;
      at.set(oldest, next);
      // What is older than all others may be on its next page.
      if (next === oldest.waiting.length && !oldest.isRead) break;
    }
    for (const [shard, count] of at) shard.waiting = shard.waiting.slice(count);
    return taken;
  }

  /** Nothing more is taken of a shard. */
  leave(shard: number): void {
    const left = this.#shards[shard];
    if (left === undefined) return;
    left.waiting = [];
    left.isRead = true;
  }

  async #read(shard: Shard): Promise<void> {
    try {
      const page = await this.#records.due(shard.number, this.#now, pageSize, shard.last);
      shard.waiting = page;
      shard.last = page.at(-1) ?? shard.last;
      shard.isRead = page.length < pageSize;
    } catch (error) {
      shard.isRead = true;
      this.#failed(error);
    }
  }
}
