/**
 * What the words of git hosts mean, over http and ssh alike: one table for listings, for fetches in build pods and for submodules
 * (words-table.ts). Words are looked for without regard to case, and the first row that fits counts.
 */
import { type WordsMeaning, wordsTable } from './words-table.ts';

/** A row of the table that was found in what a host says. */
export interface HostWords {
  readonly means: WordsMeaning;
  /** The reason as a part of our own sentence, where the meaning alone does not tell people what to do. */
  readonly because: string | undefined;
}

/** Longest text that is looked at; hosts say it in a sentence. */
const mostCharacters = 64 * 1024;

const isIn = (line: string, parts: readonly string[]): boolean => {
  let at = 0;
  for (const part of parts) {
    const found = line.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return true;
};

const rows = wordsTable.flatMap(([means, group]) =>
  group.map(([words, , because]) => ({ means, because, parts: words.split('…').map((part) => part.trim()) })),
);

/** The row that a host's words are in; undefined when they are in none. */
export const meaningOf = (text: string): HostWords | undefined => {
  const lines = text
    .slice(0, mostCharacters)
    .toLowerCase()
    .split(/[\r\n]+/u);
  return rows.find(({ parts }) => lines.some((line) => isIn(line, parts)));
};
