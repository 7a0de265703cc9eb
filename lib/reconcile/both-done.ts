/** What goes on side by side ends together: a pass whose one half has failed must not be over while the other still writes. */

/** Both results, once both have ended. @throws what the first of them that failed has thrown */
export const bothDone = async <A, B>(a: Promise<A>, b: Promise<B>): Promise<readonly [A, B]> => {
  await Promise.allSettled([a, b]);
  return Promise.all([a, b]);
};
