/** What people see of a start: steps with their seconds, and a table that changes in place on a terminal. */
import { styleText } from 'node:util';

/** A row of the live table: cells, and whether it is done. */
export interface Row {
  readonly name: string;
  readonly state: string;
  readonly detail: string;
}

/** Where lines go. */
export interface Screen {
  /** Does `work` under a title; lines reported meanwhile are shown below it. */
  step<T>(title: string, work: (report: (line: string) => void) => Promise<T>): Promise<T>;
  line(text: string): void;
  /** Shows rows: in place on a terminal, changed rows only elsewhere. */
  table(rows: readonly Row[]): void;
  /** The table stays as it is; what follows goes below. */
  endTable(): void;
}

const pad = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - text.length));

const layout = (rows: readonly Row[], columns: number): readonly string[] => {
  const names = Math.max(...rows.map(({ name }) => name.length), 0);
  const states = Math.max(...rows.map(({ state }) => state.length), 0);
  return rows.map(({ name, state, detail }) =>
    `  ${pad(name, names)}  ${pad(state, states)}  ${detail}`.trimEnd().slice(0, columns),
  );
};

const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`;

/** A screen on `output`; `isTerminal` decides between redrawing and appending. */
export const screenOn = (output: NodeJS.WriteStream): Screen => {
  const isTerminal = output.isTTY;
  let shown: readonly string[] = [];
  const dim = (text: string): string => (isTerminal ? styleText('dim', text) : text);
  return {
    line: (text) => void output.write(`${text}\n`),
    step: async (title, work) => {
      const started = performance.now();
      output.write(`• ${title}\n`);
      const result = await work((line) => output.write(`    ${dim(line)}\n`));
      output.write(`  ${dim(`done in ${seconds(started)}`)}\n`);
      return result;
    },
    table: (rows) => {
      const lines = layout(rows, output.columns ?? 200);
      if (isTerminal) {
        if (shown.length > 0) output.write(`\u001b[${shown.length}A`);
        for (const text of lines) output.write(`\u001b[2K${text}\n`);
        for (let extra = lines.length; extra < shown.length; extra += 1) output.write('\u001b[2K\n');
        if (shown.length > lines.length) output.write(`\u001b[${shown.length - lines.length}A`);
      } else for (const text of lines) if (!shown.includes(text)) output.write(`${text}\n`);
      shown = lines;
    },
    endTable: () => {
      shown = [];
    },
  };
};
