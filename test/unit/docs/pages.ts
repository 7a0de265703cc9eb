/** Pages that are cited, as what can be led to: their sections, and the cases of a chapter with what shows each. */

/** A row of a table of cases: what is in its last column. */
export interface CaseRow {
  readonly number: number;
  readonly shownBy: string;
}

export interface CitedPage {
  /** `3.8` of a heading, or `22.3` of the third numbered line below heading 22. */
  readonly sections: ReadonlySet<string>;
  readonly cases: readonly CaseRow[];
  /** Rows such as `| S18 | … |`. */
  readonly sharpEdges: ReadonlySet<string>;
}

const heading = /^#{2,6} (?<number>\d+(?:\.\d+)*)\.? /;
const numberedLine = /^(?:(?<item>\d+)\. |\| (?<row>\d+(?:\.\d+)*) \|)/;
const headOfCases = /^\|(?: [^|]+ \|)+ [Ss]hown by \|$/;
/** A bar that a backslash precedes is text. */
const cellsOf = (row: string): readonly string[] => row.split(/(?<!\\)\|/).map((cell) => cell.trim());

/** Reads a page line by line. */
export const citedPage = (markdown: string): CitedPage => {
  const sections = new Set<string>();
  const cases: CaseRow[] = [];
  let below = '';
  let inCases = false;
  for (const line of markdown.split('\n')) {
    const number = heading.exec(line)?.groups?.['number'];
    if (number !== undefined) below = number;
    if (number !== undefined) sections.add(number);
    inCases = headOfCases.test(line) || (inCases && line.startsWith('|'));
    const { item, row } = numberedLine.exec(line)?.groups ?? {};
    if (inCases && row !== undefined) cases.push({ number: Number(row), shownBy: cellsOf(line).at(-2) ?? '' });
    else if (item !== undefined && below !== '') sections.add(`${below}.${item}`);
    else if (row !== undefined && below !== '') sections.add(row.startsWith(`${below}.`) ? row : `${below}.${row}`);
  }
  const sharpEdges = new Set([...markdown.matchAll(/^\| (?<number>S\d+) \|/gm)].map(([, number]) => number ?? ''));
  return { sections, cases, sharpEdges };
};

/** Test files that a last column names, from the root of the repository. */
export const testsIn = (shownBy: string): readonly string[] =>
  [...shownBy.matchAll(/\btest\/[\w./-]+\.ts\b/g)].map(([path]) => path);
