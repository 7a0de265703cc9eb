/** Several things at once, but not all. */

/** Does `work` for every item with at most `limit` at once. The first failure is the failure of all, once those under way have ended. */
export const inParallel = async <T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> => {
  const rest = items.values();
  let failed = false;
  const lane = async (): Promise<void> => {
    for (const item of rest) {
      if (failed) return;
      try {
        await work(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: Math.min(limit, items.length) }, lane));
  const first = ended.find((lane) => lane.status === 'rejected');
  if (first !== undefined) throw first.reason;
};
