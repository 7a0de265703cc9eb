/**
 * How far a relay is, as it says it in the table: all kinds together, at most every half minute and only when one has moved, and once a minute in
 * any case, so that a relay that says nothing is known to be dead. What was not said when it died is told again.
 */
import type { Beat, WatchHistory } from '../state/watch-history.ts';

/** Milliseconds between two writes: when something has moved, and when nothing has. */
const movedMilliseconds = 30_000;
const quietMilliseconds = 60_000;
/** From the start to the first heartbeat. */
const firstMilliseconds = 5000;

/** What saying needs. */
export interface PlacePorts {
  readonly cluster: string;
  readonly history: Pick<WatchHistory, 'beat' | 'checkpoints' | 'save'>;
  readonly clock: () => Date;
  /** Everything of a heartbeat but its time, when it is asked for. */
  says(): Omit<Beat, 'beatAt'>;
  warn(why: unknown): void;
}

/** An epoch in which kinds move. */
interface Epoch {
  readonly name: string;
  readonly saved: Promise<ReadonlyMap<string, string>> | undefined;
  readonly moved: Map<string, string>;
  /** The history has begun anew since. */
  readonly over: () => void;
}

/** The place of one cluster's relay. */
export class Place {
  readonly #ports: PlacePorts;
  #epoch: Epoch | undefined;
  #timer: NodeJS.Timeout | undefined;
  #saidAt: number;
  #saying: Promise<void> | undefined;
  #ended = false;

  /** Says that the relay lives from now on. */
  constructor(ports: PlacePorts) {
    this.#ports = ports;
    // Mostly something has moved before its first heartbeat is due; that is then said at once.
    this.#saidAt = this.#now() - quietMilliseconds + firstMilliseconds;
    this.#plan();
  }

  /** From now on kinds move in this epoch. `over` is called when it has ended meanwhile. */
  enter(name: string, over: () => void): void {
    this.#epoch = { name, saved: undefined, moved: new Map(), over };
  }

  /** How far a kind was when it was last said; all kinds are asked for in one read. @throws StateError */
  async last(kind: string): Promise<string | undefined> {
    const epoch = this.#epoch;
    if (epoch === undefined) return undefined;
    const saved = epoch.saved ?? this.#ports.history.checkpoints(this.#ports.cluster, epoch.name);
    this.#epoch = { ...epoch, saved };
    try {
      return (await saved).get(kind);
    } catch (error) {
      if (this.#epoch.saved === saved) this.#epoch = { ...this.#epoch, saved: undefined };
      throw error;
    }
  }

  /** A kind has moved; said soon, unless its epoch is over. */
  moved(epoch: string, kind: string, version: string): void {
    if (this.#epoch?.name !== epoch) return;
    this.#epoch.moved.set(kind, version);
    this.#plan();
  }

  /** Says what is not said yet, and nothing more. */
  async end(): Promise<void> {
    this.#ended = true;
    clearTimeout(this.#timer);
    await this.#saying;
    if ((this.#epoch?.moved.size ?? 0) > 0) await this.#say();
  }

  #plan(): void {
    if (this.#ended || this.#saying !== undefined) return;
    clearTimeout(this.#timer);
    const apart = (this.#epoch?.moved.size ?? 0) > 0 ? movedMilliseconds : quietMilliseconds;
    const wait = Math.max(0, this.#saidAt + apart - this.#now());
    this.#timer = setTimeout(() => {
      this.#saying = this.#say().finally(() => {
        this.#saying = undefined;
        this.#plan();
      });
    }, wait);
  }

  async #say(): Promise<void> {
    const { cluster, history } = this.#ports;
    const beat = { ...this.#ports.says(), beatAt: Math.floor(this.#now() / 1000) };
    this.#saidAt = this.#now();
    const epoch = this.#epoch;
    const moved = new Map(epoch?.moved);
    epoch?.moved.clear();
    try {
      if (epoch === undefined) await history.beat(cluster, beat);
      else if (!(await history.save(cluster, epoch.name, moved, beat))) epoch.over();
    } catch (error) {
      this.#ports.warn(error);
      // It may have moved on meanwhile.
      for (const [kind, version] of moved) if (epoch?.moved.has(kind) === false) epoch.moved.set(kind, version);
    }
  }

  #now(): number {
    return this.#ports.clock().getTime();
  }
}
