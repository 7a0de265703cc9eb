/** What `cluster check` and `doctor` find out: each thing looked at, how it is, and what to do when it is not well. */
import { ExpectedError, PermanentError } from '../../lib/errors/expected.ts';
import { columns } from './columns.ts';
import type { Answer } from './output.ts';

/** One thing that was looked at. `unknown`: it could not be looked at, which `said` explains. */
export interface Checked {
  readonly what: string;
  readonly state: 'well' | 'wrong' | 'unknown';
  readonly said: string;
  readonly wayOut?: string | undefined;
}

/** All is well with it. */
export const well = (what: string, said: string): Checked => ({ what, state: 'well', said });
/** It is not. */
export const wrong = (what: string, said: string, wayOut?: string): Checked => ({ what, state: 'wrong', said, wayOut });
/** Nobody knows. */
export const unknown = (what: string, said: string, wayOut?: string): Checked => ({
  what,
  state: 'unknown',
  said,
  wayOut,
});

/** What `looking` finds; that it fails in an expected way is a finding too, and does not keep others from being looked at. */
export const looked = async (
  what: string,
  looking: () => Promise<Checked | readonly Checked[]>,
): Promise<readonly Checked[]> => {
  try {
    return [await looking()].flat();
  } catch (error) {
    if (error instanceof ExpectedError || error instanceof PermanentError) return [unknown(what, error.message)];
    throw error;
  }
};

const marks = { well: 'ok', wrong: 'WRONG', unknown: '?' } as const;

/** Whether something wants a person. */
export const isUnwell = (all: readonly Checked[]): boolean => all.some(({ state }) => state === 'wrong');

/** Both forms, what is wrong last, where people look. */
export const answerOf = (all: readonly Checked[], more: object): Answer => {
  const bad = all.filter(({ state }) => state === 'wrong').length;
  const blind = all.filter(({ state }) => state === 'unknown').length;
  return {
    lines: [
      ...columns(all.map(({ what, state, said }) => [marks[state], what, said])),
      '',
      ...all.flatMap(({ what, wayOut, state }) =>
        wayOut === undefined || state === 'well' ? [] : [`${what}: ${wayOut}`],
      ),
      `${all.length} things looked at, ${bad} wrong${blind === 0 ? '' : `, ${blind} that could not be looked at`}`,
    ],
    json: { ...more, isWell: bad === 0, checks: all },
  };
};
