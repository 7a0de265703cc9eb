/** Where the embedded queue gets its time from, so that a five-minute window is tested in microseconds. */

/** Milliseconds since the epoch, and one-shot alarms. */
export interface Clock {
  now(): number;
  /** Calls `ring` once at or after `timeMs`; the answer cancels it. */
  at(timeMs: number, ring: () => void): () => void;
}

/** setTimeout fires at once for longer delays; an early alarm only makes its owner look again. */
const longestTimeoutMs = 2 ** 31 - 1;

/** The machine's clock. An alarm keeps the process alive: in process nothing else would during a long poll. */
export const systemClock: Clock = {
  now: () => Date.now(),
  at: (timeMs, ring) => {
    const timer = setTimeout(ring, Math.min(Math.max(timeMs - Date.now(), 0), longestTimeoutMs));
    return () => clearTimeout(timer);
  },
};

/** A clock that stands still until it is told to move. */
export interface ManualClock extends Clock {
  /** Moves on by `ms`, ringing every alarm on the way in order of time. */
  advance(ms: number): void;
}

/** A clock for tests, starting at `startMs`. */
export const manualClock = (startMs = Date.UTC(2030, 0, 1)): ManualClock => {
  let now = startMs;
  const alarms = new Set<{ readonly timeMs: number; readonly ring: () => void }>();
  return {
    now: () => now,
    at: (timeMs, ring) => {
      const alarm = { timeMs, ring };
      alarms.add(alarm);
      return () => alarms.delete(alarm);
    },
    advance: (ms) => {
      const until = now + ms;
      for (;;) {
        const due = [...alarms].filter(({ timeMs }) => timeMs <= until).sort((a, b) => a.timeMs - b.timeMs)[0];
        if (due === undefined) break;
        alarms.delete(due);
        now = Math.max(now, due.timeMs);
        due.ring();
      }
      now = until;
    },
  };
};
