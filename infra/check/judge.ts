/** Is a regular expression safe against every text? recheck's word on it: it searches for a text that takes polynomial or exponential time. */
import { check } from 'recheck';
import type { WrittenPattern } from './regular-expressions.ts';

/** Longest time for one expression, in ms; what cannot be judged within it is not taken. */
const timeoutMilliseconds = 20_000;

/** The complaint about a pattern, with the text that shows it; undefined when it takes time linear in whatever it is given. */
export const complaintAbout = async ({
  source,
  flags,
}: Pick<WrittenPattern, 'source' | 'flags'>): Promise<string | undefined> => {
  const verdict = await check(source, flags, { timeout: timeoutMilliseconds });
  switch (verdict.status) {
    case 'safe':
      return undefined;
    case 'vulnerable':
      return `takes ${verdict.complexity.summary} time on ${verdict.attack.pattern}`;
    case 'unknown':
      return `cannot be judged (${verdict.error.kind}): write it so that it can`;
  }
};
