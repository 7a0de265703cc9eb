/** A migration as steps that are taken one after the other: each finds what an earlier run has done already, so that dying after any line is mended by calling it again. */
import { ExpectedError, PermanentError } from '../../../lib/errors/expected.ts';
import type { Call } from '../context.ts';
import type { Tell } from '../output.ts';
import type { Move } from './move.ts';

/** One step. */
export interface MoveStep {
  readonly what: string;
  /** The same with kubectl, for people who do it by hand. */
  readonly byHand: readonly string[];
  /** Does it, and says in one line what it came to. @throws ExpectedError, PermanentError */
  readonly take: (move: Move, tell: Tell) => Promise<string>;
}

/** A step that was taken. */
export interface TakenMoveStep {
  readonly what: string;
  readonly came: string;
}

const goesOn = 'What was done stays: set this right and call the same again, it goes on from there';

/** Takes all; each is told as it is taken. @throws ExpectedError, PermanentError that name the step */
export const takeAll = async (
  { output }: Call,
  move: Move,
  steps: readonly MoveStep[],
): Promise<readonly TakenMoveStep[]> => {
  const taken: TakenMoveStep[] = [];
  for (const { what, take } of steps) {
    const place = `step ${taken.length + 1} of ${steps.length}, ${what}`;
    try {
      const came = await output.during(place, (tell) => take(move, tell));
      output.note(`${place}: ${came}`);
      taken.push({ what, came });
    } catch (error) {
      const said = `${place}: ${error instanceof Error ? error.message : String(error)}. ${goesOn}`;
      if (error instanceof PermanentError) throw new PermanentError(error.reason, said);
      if (error instanceof ExpectedError) throw new ExpectedError(said, { cause: error });
      throw error;
    }
  }
  return taken;
};

/** Shows all and takes none. */
export const showAll = ({ output }: Call, steps: readonly MoveStep[]): void =>
  output.answer({
    lines: steps.flatMap(({ what, byHand }, index) => [`# ${index + 1}. ${what}`, ...byHand]),
    json: { steps: steps.map(({ what, byHand }) => ({ what, byHand })) },
  });
