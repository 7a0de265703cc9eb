/** What happened in a run, for a reader: one line an event, with the time since the run began. */

/** A line. `what` is who does what, `effect` what came of it. */
export interface TraceLine {
  /** Milliseconds since the run began. */
  readonly at: number;
  readonly what: string;
  readonly fault?: string | undefined;
  readonly effect?: string | undefined;
}

const time = (milliseconds: number): string => {
  const seconds = milliseconds / 1000;
  const minutes = Math.floor(seconds / 60);
  return `${String(minutes).padStart(4)}:${(seconds - minutes * 60).toFixed(3).padStart(6, '0')}`;
};

export const showLine = ({ at, what, fault, effect }: TraceLine): string =>
  [
    time(at),
    what,
    ...(fault === undefined ? [] : [`** ${fault} **`]),
    ...(effect === undefined ? [] : [`→ ${effect}`]),
  ].join('  ');

/** The last lines of a run; reads and other calls that went well are not among them unless `all`. */
export class Trace {
  readonly lines: TraceLine[] = [];
  readonly #most: number;

  constructor(most = 20_000) {
    this.#most = most;
  }

  add(line: TraceLine): void {
    this.lines.push(line);
    if (this.lines.length > this.#most) this.lines.splice(0, this.#most / 2);
  }
}
