/** A line of the report: what was measured, beside what is wanted and what upstream does. */

/** One measure. */
export interface Row {
  readonly measure: string;
  /** For people, with unit. */
  readonly measured: string;
  /** It compares two figures of this run, so that a slow machine is no excuse: these come first. */
  readonly ratio?: boolean;
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

/** A goal and whether `value`, which must be a number, reaches it. */
type Judged = Required<Pick<Row, 'goal' | 'reached'>>;
export const atMost = (limit: number, unit: string, value: number): Judged => ({
  goal: `≤ ${limit}${unit}`,
  reached: value <= limit,
});
export const atLeast = (limit: number, unit: string, value: number): Judged => ({
  goal: `≥ ${limit}${unit}`,
  reached: value >= limit,
});

const columns = ['measure', 'measured', 'goal', 'upstream, as recorded', ''] as const;

/** Rows with those that are ratios first, each sort in its own order. */
export const ratiosFirst = (rows: readonly Row[]): readonly Row[] => [
  ...rows.filter(({ ratio }) => ratio === true),
  ...rows.filter(({ ratio }) => ratio !== true),
];

/** The rows as a table in text, ratios first. */
export const table = (rows: readonly Row[]): string => {
  const lines = ratiosFirst(rows).map(({ measure, measured, goal = '', upstream = '', reached }) => [
    measure,
    measured,
    goal,
    upstream,
    reached === undefined ? '' : reached ? 'ok' : 'MISSED',
  ]);
  // A cell with nothing behind it may be as long as it likes.
  const needs = (cells: readonly string[], index: number): number =>
    cells.slice(index + 1).every((cell) => cell === '') ? 0 : (cells[index]?.length ?? 0);
  const widths = columns.map((name, index) => Math.max(name.length, ...lines.map((cells) => needs(cells, index))));
  const print = (cells: readonly string[]): string =>
    cells
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd();
  return [print(columns), print(widths.map((width) => '-'.repeat(width))), ...lines.map(print)].join('\n');
};
