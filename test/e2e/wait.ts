/** Waiting for what a cluster does in its own time. */
import { setTimeout as sleep } from 'node:timers/promises';

/** How long is waited, and what is said when it was for nothing. */
export interface Patience {
  /** What is waited for, as the end of "waited 60 s for …". */
  readonly what: string;
  readonly seconds?: number;
  /** What was seen last, for the message. */
  readonly seen?: () => unknown;
}

const pollMilliseconds = 200;
/** On a busy machine a node that has thirty pods at once takes its time. */
export const patienceSeconds = 150;

/** Asks again and again until the answer is neither undefined nor false; a question that throws counts as no answer yet. */
export const waitFor = async <T>(
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  { what, seconds = patienceSeconds, seen }: Patience,
): Promise<T> => {
  const until = Date.now() + seconds * 1000;
  let failure: unknown;
  do {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
      failure = undefined;
    } catch (error) {
      failure = error;
    }
    await sleep(pollMilliseconds);
  } while (Date.now() < until);
  const last = seen === undefined ? '' : `; last seen: ${JSON.stringify(seen(), undefined, 1)}`;
  throw new Error(`waited ${seconds} s for ${what}${last}`, { cause: failure });
};
