/** A pass that has failed and is tried again in seconds: by its own messages, where they may still be shown again (DESIGN §3.33). */

/** What such a pass answers. Its record has a due time as well, for who cannot be shown again. */
export interface ComesAgain {
  /** What became of it, for logs and counts. */
  readonly result: string;
  readonly comesAgainSeconds: number;
}

/** Of the five receives before a message counts as poison (DESIGN §3.3), those that waits may take: the others are for bugs. */
const receivesForWaits = 2;

/** Whether a message that was received so often may be shown again by a wait. */
export const mayComeAgain = (received: number): boolean => received <= receivesForWaits;

/** What became of a pass, as a word. */
export const wordFor = (answer: string | ComesAgain): string => (typeof answer === 'string' ? answer : answer.result);
