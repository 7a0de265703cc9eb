import { inParallel } from '../oci/in-parallel.ts';

/** The results of `work` on every item, in their order, with at most `limit` at once; the first failure is the failure of all. */
export const mapBounded = async <T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> => {
  const results: R[] = [];
  await inParallel([...items.entries()], limit, async ([index, item]) => {
    results[index] = await work(item);
  });
  return results;
};
