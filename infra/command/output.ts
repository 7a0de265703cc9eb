/** What the command says: an answer on standard output, as text or JSON, and on standard error what it is doing when that takes time. */
import { styleText } from 'node:util';
import { printableLines } from '../../lib/text/printable.ts';

/** Both forms of an answer. */
export interface Answer {
  readonly lines: readonly string[];
  readonly json: unknown;
}

/** Says how far a piece of work has come; shown when it takes longer than two seconds. */
export type Tell = (where: string) => void;

/** Where answers go. */
export interface Output {
  readonly isJson: boolean;
  answer(answer: Answer): void;
  /** One line for people beside the answer; never in it. */
  note(line: string): void;
  /** Does `work`; says what takes so long after two seconds, and then every two. */
  during<T>(what: string, work: (tell: Tell) => Promise<T>): Promise<T>;
}

/** Streams, or in tests what collects. */
export interface Streams {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly isTerminal: boolean;
}

/** People are told of work that takes longer than this, in ms. */
const patienceMilliseconds = 2000;
/** Where lines stay, they come at first and then at each so many times of that. */
const timesApart = 5;
/** Longer lines are nobody's answer. */
const longestLine = 4000;

/** The line of a terminal, begun anew (ECMA-48 EL). */
const emptied = '\r\u001b[2K';

/** Objects and hosts choose some of the words. */
const plain = (line: string): string => printableLines(line, longestLine);

/** Output on streams. */
export const outputOn = (
  { out, err, isTerminal }: Streams,
  isJson: boolean,
  everyMilliseconds = patienceMilliseconds,
): Output => {
  const note = (line: string): void => err(`${isTerminal ? styleText('dim', plain(line)) : plain(line)}\n`);
  return {
    isJson,
    note,
    answer: ({ lines, json }) =>
      out(isJson ? `${JSON.stringify(json, undefined, 2)}\n` : lines.map((line) => `${plain(line)}\n`).join('')),
    during: async (what, work) => {
      let where = '';
      const started = performance.now();
      let times = 0;
      const timer = setInterval(() => {
        const seconds = Math.round((performance.now() - started) / 1000);
        const line = `${what}${where === '' ? '' : `: ${where}`} (${seconds} s)`;
        if (isTerminal) err(`${emptied}${styleText('dim', plain(line))}`);
        else if (times % timesApart === 0) note(line);
        times += 1;
      }, everyMilliseconds);
      try {
        return await work((now) => {
          where = now;
        });
      } finally {
        clearInterval(timer);
        if (isTerminal && times > 0) err(emptied);
      }
    },
  };
};
