/** One thing at a time: whoever comes waits until those before him are done, however that ended. */

/** Runs `work` in its turn, and gives what it gives. */
export type OneAtATime = <T>(work: () => Promise<T>) => Promise<T>;

/** A queue of turns of its own. */
export const oneAtATime = (): OneAtATime => {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };
};
