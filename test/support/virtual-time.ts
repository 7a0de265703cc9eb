/** A clock that goes on when everybody waits: hours of work in seconds, and the same each time. */
import { setImmediate } from 'node:timers/promises';
import { IndexedHeap } from '../emulators/sqs/heap.ts';

interface Alarm {
  readonly at: number;
  readonly order: number;
  readonly ring: () => void;
}

/** Milliseconds since the epoch. Whoever waits for anything but `sleep` and `at` must be done within one turn of the event loop. */
export class VirtualTime {
  now: number;
  readonly #alarms = new IndexedHeap<Alarm>((a, b) => (a.at === b.at ? a.order < b.order : a.at < b.at));
  #order = 0;

  constructor(now = Date.UTC(2026, 10, 21, 9)) {
    this.now = now;
  }

  at(time: number, ring: () => void): void {
    this.#order += 1;
    this.#alarms.add({ at: Math.max(time, this.now), order: this.#order, ring });
  }

  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => this.at(this.now + milliseconds, resolve));
  }

  /** Lets time pass until `isDone` or for so many seconds; gives whether it was done. */
  async pass(seconds: number, isDone: () => boolean = () => false): Promise<boolean> {
    const end = this.now + seconds * 1000;
    for (;;) {
      await setImmediate();
      if (isDone()) return true;
      const next = this.#alarms.peek();
      if (next === undefined || next.at > end) {
        this.now = end;
        return isDone();
      }
      this.now = next.at;
      // All of one moment together.
      for (let due = this.#alarms.peek(); due !== undefined && due.at <= this.now; due = this.#alarms.peek()) {
        this.#alarms.remove(due);
        due.ring();
      }
    }
  }
}
