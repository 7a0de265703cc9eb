/** The one gate between code under test and the world: each call takes its time, may go wrong, and ends with the process that made it. */
import type { Dice } from './dice.ts';
import type { Call, Fault, FaultSource, Port } from './faults.ts';
import type { Trace } from './trace.ts';
import type { Life, VirtualTime } from './virtual-time.ts';

/** What a call that was refused fails with, or one whose answer was lost. */
export type Failing = (why: 'refused' | 'unanswered' | 'away' | 'late') => Error;

/** One call. */
export interface Asked<T> {
  readonly port: Port;
  /** The same for every run: nothing in it that chance made. */
  readonly name: string;
  readonly isWrite: boolean;
  readonly isSend?: boolean;
  /** Longest that is waited for an answer, in seconds. */
  readonly deadlineSeconds?: number;
  readonly signal?: AbortSignal | undefined;
  /** Part of the process that calls (the embedded queue), rather than of the world. */
  readonly isInside?: boolean;
  readonly carryOut: () => T | Promise<T>;
  readonly failing: Failing;
}

/** The process that calls has died: whatever it does now is not done. */
export class Died extends Error {
  override readonly name = 'Died';
}

/** What no code expects. */
export class InjectedBug extends TypeError {
  override readonly name = 'InjectedBug';
}

const longestMilliseconds: Readonly<Record<Port, number>> = { api: 12, table: 4, queue: 10, registry: 20, git: 60 };

/** What calls go through. */
export class Calls {
  readonly #time: VirtualTime;
  readonly #dice: Dice;
  readonly #faults: FaultSource;
  readonly #trace: Trace;
  readonly #startMs: number;
  readonly #counts = new Map<string, number>();
  /** Until when a port does not answer, in milliseconds since the epoch. */
  readonly #awayUntil = new Map<Port, number>();
  /** Faults that happened. */
  readonly injected: Fault[] = [];
  /** How many calls there were. */
  made = 0;
  /** Whether calls may still go wrong. */
  isSpoilt = true;
  /** Calls that are told of though nothing is wrong with them. */
  told: RegExp | undefined;
  /** Told when a process has to end. */
  kill: (life: Life) => void = () => undefined;

  constructor(time: VirtualTime, dice: Dice, faults: FaultSource, trace: Trace) {
    this.#time = time;
    this.#dice = dice;
    this.#faults = faults;
    this.#trace = trace;
    this.#startMs = time.now;
  }

  /** Whose code is running. */
  get role(): string {
    return this.#time.life?.role ?? 'world';
  }

  /** Says something about the run. */
  note(what: string, effect?: string, fault?: string): void {
    this.#trace.add({ at: this.#time.now - this.#startMs, what, effect, fault });
  }

  /** A port does not answer for so long. */
  takeAway(port: Port, seconds: number): void {
    this.#awayUntil.set(port, Math.max(this.#awayUntil.get(port) ?? 0, this.#time.now + seconds * 1000));
  }

  isAway(port: Port): boolean {
    return (this.#awayUntil.get(port) ?? 0) > this.#time.now;
  }

  /** Its name among all calls of the run, and what happens to it. */
  #meet({ port, name, isWrite, isSend = false }: Omit<Asked<unknown>, 'carryOut'>, isSync: boolean) {
    const { life } = this.#time;
    this.made += 1;
    const who = `${life?.role ?? 'world'} ${port} ${name}`;
    const number = (this.#counts.get(who) ?? 0) + 1;
    this.#counts.set(who, number);
    const full = `${who} #${number}`;
    const aliveMs = life === undefined ? 0 : this.#time.now - life.bornMs;
    const call: Call = { port, name: full, isWrite, isSend, isSync, aliveMs, isOfWorld: life === undefined };
    const fault = this.isSpoilt ? this.#faults.at(call) : undefined;
    if (fault !== undefined) this.injected.push(fault);
    return { life, full, fault };
  }

  /** Makes a call, of whoever's code is running. */
  make<T>(asked: Asked<T>): Promise<T> {
    const { life, full, fault } = this.#meet(asked, false);
    const { port, isWrite, failing, deadlineSeconds = Number.POSITIVE_INFINITY, signal } = asked;
    return new Promise<T>((resolve, reject) => {
      // Whoever has died asks for nothing and hears nothing.
      if (life?.isAlive === false) return;
      if (signal?.aborted === true) return reject(failing('late'));
      let isOver = false;
      const end = (finish: () => void): void => {
        if (isOver) return;
        isOver = true;
        signal?.removeEventListener('abort', giveUp);
        stopWaiting();
        finish();
      };
      const giveUp = (): void => end(() => reject(failing('late')));
      const stopWaiting = Number.isFinite(deadlineSeconds)
        ? this.#time.in(deadlineSeconds * 1000, giveUp, life)
        : (): void => undefined;
      signal?.addEventListener('abort', giveUp);
      const lateMs = fault?.fault === 'late' ? (fault.seconds ?? 0) * 1000 : 0;
      const milliseconds = this.#dice.between(full, 0.1, longestMilliseconds[port]) + lateMs;
      // An event of the world: what was sent may be carried out though its sender has died.
      const arrive = (): void => {
        const isGone = life?.isAlive === false;
        if (isGone && this.#dice.chance(`arrives ${full}`) < 0.5) return;
        void this.#carryOut(asked, { life, full, fault }, isGone).then(
          (answer) =>
            this.#time.as(life, () => end(answer === undefined ? () => undefined : () => resolve(answer.value))),
          (error: unknown) => this.#time.as(life, () => end(() => reject(error))),
        );
      };
      this.#time.in(milliseconds, arrive, undefined);
      if (fault !== undefined || this.told?.test(full) === true)
        this.note(full, isWrite ? 'write' : 'read', fault && shownFault(fault));
    });
  }

  /** Undefined: nobody hears of it. */
  async #carryOut<T>(
    { port, carryOut, failing, isInside = false }: Asked<T>,
    {
      life,
      full,
      fault,
    }: { readonly life: Life | undefined; readonly full: string; readonly fault: Fault | undefined },
    isGone: boolean,
  ): Promise<{ readonly value: T } | undefined> {
    if (this.isAway(port)) throw failing('away');
    if (fault?.fault === 'refused') throw failing('refused');
    if (fault?.fault === 'bug') throw new InjectedBug(`a bug at ${full}`);
    if (fault?.fault === 'death before' && life !== undefined) {
      this.kill(life);
      return undefined;
    }
    if (isInside && isGone) return undefined;
    const value = await this.#time.as(isInside ? life : undefined, carryOut);
    if (this.told?.test(full) === true) this.note(`  ${full}`, JSON.stringify(value)?.slice(0, 9000));
    if (fault?.fault === 'repeated') {
      const again = (): void => {
        this.note(full, undefined, 'comes once more');
        void Promise.resolve(this.#time.as(isInside ? life : undefined, carryOut)).catch(() => undefined);
      };
      this.#time.in((fault.seconds ?? 0) * 1000, again, isInside ? life : undefined);
    }
    if (fault?.fault === 'death after' && life !== undefined) {
      this.kill(life);
      return undefined;
    }
    if (fault?.fault === 'unanswered') throw failing('unanswered');
    return { value };
  }

  /** A call that is carried out at once, inside its process. @throws Died when that has ended */
  makeNow<T>(asked: Omit<Asked<T>, 'carryOut'> & { readonly carryOut: () => T }): T {
    if (this.#time.life?.isAlive === false) throw new Died('the process has ended');
    const { life, full, fault } = this.#meet(asked, true);
    if (fault !== undefined) this.note(full, asked.isWrite ? 'write' : 'read', shownFault(fault));
    if (this.isAway(asked.port)) throw asked.failing('away');
    if (fault?.fault === 'refused') throw asked.failing('refused');
    if (life !== undefined && fault?.fault === 'death before') {
      this.kill(life);
      throw new Died('the process has ended');
    }
    const value = asked.carryOut();
    if (life !== undefined && fault?.fault === 'death after') {
      this.kill(life);
      throw new Died('the process has ended');
    }
    return value;
  }
}

export const shownFault = (fault: Fault): string =>
  fault.seconds === undefined ? fault.fault : `${fault.fault}, ${fault.seconds} s`;
