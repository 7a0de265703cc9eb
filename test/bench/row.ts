/** A line of the report: what was measured, beside what is wanted and what upstream does. */

/** One measure. */
export interface Row {
  readonly measure: string;
  /** For people, with unit. */
  readonly measured: string;
  /** The goal (DESIGN §6) in words; absent for figures that explain another one. */
  readonly goal?: string;
  /** Whether the goal is reached; absent without goal. */
  readonly reached?: boolean;
  /** Upstream's figure as recorded on a machine like this (spec 07 §5), not measured in this run. */
  readonly upstream?: string;
  /** The plain figures, for machines. */
  readonly figures: Readonly<Record<string, number>>;
}

/** The middle one of `values` (the lower of two); 0 without any. */
export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? 0;

/** One decimal, or none from 100 on. */
export const round = (value: number): number => (value >= 100 ? Math.round(value) : Math.round(value * 10) / 10);

const columns = ['measure', 'measured', 'goal', 'upstream, as recorded', ''] as const;

/** The rows as a table in text. */
export const table = (rows: readonly Row[]): string => {
  const lines = rows.map(({ measure, measured, goal = '', upstream = '', reached }) => [
    measure,
    measured,
    goal,
    upstream,
    reached === undefined ? '' : reached ? 'ok' : 'missed',
  ]);
  const widths = columns.map((name, index) =>
    Math.max(name.length, ...lines.map((cells) => cells[index]?.length ?? 0)),
  );
  const print = (cells: readonly string[]): string =>
    cells
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd();
  return [print(columns), print(widths.map((width) => '-'.repeat(width))), ...lines.map(print)].join('\n');
};
