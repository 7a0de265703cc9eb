/** An answer that is used again for a while. Many who ask at once ask once; a failure is not remembered. */
export const remembered = <T>(ask: () => Promise<T>, milliseconds: number): (() => Promise<T>) => {
  let known: { readonly answer: Promise<T>; readonly until: number } | undefined;
  const fresh = async (): Promise<T> => {
    try {
      return await ask();
    } catch (error) {
      known = undefined;
      throw error;
    }
  };
  return () => {
    const now = performance.now();
    if (known === undefined || known.until <= now) known = { answer: fresh(), until: now + milliseconds };
    return known.answer;
  };
};
