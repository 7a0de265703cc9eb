/**
 * Time that is made by the run: events happen one at a time in the order of their instants, and between two of them everything that follows
 * from the first has come to rest. While it is installed it stands in for the machine's clock, timers and chance, in every module. What runs
 * belongs to a life (a process, an invocation); its timers end with it, and it may have a clock that is wrong.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers/promises';
import type { Dice } from './dice.ts';

/** Something that runs until it dies. */
export interface Life {
  /** What it is, the same for all that do the same: `relay`, `image`. */
  readonly role: string;
  readonly bornMs: number;
  isAlive: boolean;
  /** How wrong its clock is, in milliseconds. */
  skewMs: number;
}

interface Event {
  readonly at: number;
  /** Decides among events of one instant: first planned, first done. */
  readonly order: number;
  readonly life: Life | undefined;
  run: (() => void) | undefined;
}

/** A binary heap: the earliest event on top. */
class Agenda {
  readonly #events: Event[] = [];

  get first(): Event | undefined {
    return this.#events[0];
  }

  add(event: Event): void {
    const events = this.#events;
    let place = events.push(event) - 1;
    while (place > 0) {
      const above = (place - 1) >> 1;
      if (!isBefore(event, events[above])) break;
      events[place] = events[above] as Event;
      place = above;
    }
    events[place] = event;
  }

  take(): Event | undefined {
    const events = this.#events;
    const [taken] = events;
    const last = events.pop();
    if (last === undefined || last === taken) return taken;
    let place = 0;
    for (;;) {
      const left = 2 * place + 1;
      const below = isBefore(events[left + 1], events[left]) ? left + 1 : left;
      if (!isBefore(events[below], last)) break;
      events[place] = events[below] as Event;
      place = below;
    }
    events[place] = last;
    return taken;
  }
}

const isBefore = (a: Event | undefined, b: Event | undefined): boolean =>
  a !== undefined && (b === undefined || a.at < b.at || (a.at === b.at && a.order < b.order));

const real = {
  Date,
  setTimeout,
  clearTimeout,
  setInterval,
  clearInterval,
  setImmediate,
  timeout: AbortSignal.timeout.bind(AbortSignal),
};
const realRandom = Math.random;
const realUuid = crypto.randomUUID;
const realSleep = timers.setTimeout;
const realNow = performance.now.bind(performance);

/** One turn of the event loop: everything that was ready has run. */
const turn = (): Promise<void> => new Promise((resolve) => void real.setImmediate(resolve));

/** Milliseconds of the machine, for telling how long a run takes. */
export const machineMilliseconds = (): number => realNow();

/** What code sees of a timer. */
class Timer {
  readonly event: Event;

  constructor(event: Event) {
    this.event = event;
  }

  ref = (): this => this;
  unref = (): this => this;
  hasRef = (): boolean => true;
  refresh = (): this => this;
  [Symbol.dispose](): void {
    this.event.run = undefined;
  }
}

/** The time of one run. */
export class VirtualTime {
  readonly #dice: Dice;
  readonly #lives = new AsyncLocalStorage<Life | undefined>();
  readonly #agenda = new Agenda();
  #now: number;
  #order = 0;
  #drawn = 0;
  /** Events done so far. */
  steps = 0;

  constructor(dice: Dice, startMs = Date.UTC(2026, 10, 21, 9)) {
    this.#dice = dice;
    this.#now = startMs;
  }

  /** Milliseconds since the epoch, by the right clock. */
  get now(): number {
    return this.#now;
  }

  /** Whose code is running; undefined for the world around it. */
  get life(): Life | undefined {
    return this.#lives.getStore();
  }

  /** Runs something as part of a life, or of the world. */
  as<T>(life: Life | undefined, work: () => T): T {
    return this.#lives.run(life, work);
  }

  /** Plans an event of whoever plans it; what this gives takes it back. */
  in(milliseconds: number, run: () => void, life = this.life): () => void {
    const event = this.#plan(milliseconds, run, life);
    return () => {
      event.run = undefined;
    };
  }

  #plan(milliseconds: number, run: () => void, life: Life | undefined): Event {
    this.#order += 1;
    const event = { at: this.#now + Math.max(0, milliseconds), order: this.#order, life, run };
    this.#agenda.add(event);
    return event;
  }

  /** Waits until what is running has come to rest: nothing new is planned within a whole turn. */
  async #rest(): Promise<void> {
    let seen: number;
    do {
      seen = this.#order;
      // The second for who waits for the first (lib/state/reads-together.ts).
      await turn();
      await turn();
    } while (seen !== this.#order);
  }

  /** Does everything until that instant, `after` each event; earlier when `isOver`. */
  async until(
    instant: number,
    after: () => void = () => undefined,
    isOver: () => boolean = () => false,
  ): Promise<void> {
    await this.#rest();
    while (!isOver()) {
      const { first } = this.#agenda;
      if (first === undefined || first.at > instant) break;
      const event = this.#agenda.take();
      if (event?.run === undefined || event.life?.isAlive === false) continue;
      this.#now = event.at;
      this.#drawn = 0;
      this.steps += 1;
      this.#lives.run(event.life, event.run);
      await this.#rest();
      after();
    }
    if (!isOver()) this.#now = Math.max(this.#now, instant);
  }

  /** As code sees it: by the clock of its own machine. */
  #seen(): number {
    return this.#now + (this.life?.skewMs ?? 0);
  }

  #draw(): number {
    this.#drawn += 1;
    return this.#dice.chance(`${this.life?.role ?? ''} ${this.#now} ${this.#drawn}`);
  }

  /** Stands in for the machine's until what it gives is disposed of. */
  install(): Disposable {
    const seen = (): number => this.#seen();
    const start = this.#now;
    class SeenDate extends real.Date {
      constructor(...given: readonly unknown[]) {
        // Its parameters are those of Date, of which there are many forms.
        super(...((given.length === 0 ? [seen()] : given) as [number]));
      }
      static override now(): number {
        return Math.floor(seen());
      }
    }
    const set = (run: (...given: unknown[]) => void, milliseconds = 0, ...given: unknown[]): Timer =>
      new Timer(this.#plan(milliseconds, () => run(...given), this.life));
    const clear = (timer: Timer | undefined): void => timer?.[Symbol.dispose]();
    const repeat = (run: () => void, milliseconds: number): Timer => {
      const again = (): void => {
        timer.event.run = undefined;
        next();
        run();
      };
      const next = (): void => {
        const event = this.#plan(milliseconds, again, this.life);
        Object.assign(timer, { event });
      };
      const timer = new Timer(this.#plan(milliseconds, again, this.life));
      return timer;
    };
    const sleep = (milliseconds: number, value?: unknown, { signal }: { readonly signal?: AbortSignal } = {}) =>
      new Promise<unknown>((resolve, reject) => {
        const stop = (): void => reject(Object.assign(new Error('The operation was aborted'), { name: 'AbortError' }));
        if (signal?.aborted === true) return stop();
        const timer = set(() => resolve(value), milliseconds);
        signal?.addEventListener('abort', () => {
          clear(timer);
          stop();
        });
      });
    const timeout = (milliseconds: number): AbortSignal => {
      const controller = new AbortController();
      const late = (): void => controller.abort(new DOMException('The operation timed out', 'TimeoutError'));
      set(late, milliseconds);
      return controller.signal;
    };
    Object.assign(globalThis, {
      Date: SeenDate,
      setTimeout: set,
      clearTimeout: clear,
      setInterval: repeat,
      clearInterval: clear,
    });
    Object.assign(AbortSignal, { timeout });
    Object.assign(performance, { now: () => this.#now - start });
    Math.random = () => this.#draw();
    let made = 0;
    Object.assign(crypto, {
      randomUUID: () => {
        made += 1;
        return `00000000-0000-4000-8000-${made.toString(16).padStart(12, '0')}`;
      },
    });
    Object.assign(timers, { setTimeout: sleep });
    syncBuiltinESMExports();
    return {
      [Symbol.dispose]: () => {
        const { timeout: realTimeout, setImmediate: _, ...globals } = real;
        Object.assign(globalThis, globals);
        Object.assign(AbortSignal, { timeout: realTimeout });
        Object.assign(performance, { now: realNow });
        Math.random = realRandom;
        Object.assign(crypto, { randomUUID: realUuid });
        Object.assign(timers, { setTimeout: realSleep });
        syncBuiltinESMExports();
      },
    };
  }
}
