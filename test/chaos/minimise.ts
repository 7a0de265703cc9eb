/** Makes a list shorter that fails, by delta debugging: a list is data, and a run of it always ends the same (Zeller and Hildebrandt, "ddmin"). */

/** A shorter list that still fails, of which no single part can be left out unless `mayGoOn` ends it before. */
export const minimise = async <T>(
  failing: readonly T[],
  fails: (list: readonly T[]) => Promise<boolean>,
  mayGoOn: () => boolean = () => true,
): Promise<readonly T[]> => {
  let list = failing;
  let parts = 2;
  while (list.length > 0 && mayGoOn()) {
    const size = Math.ceil(list.length / parts);
    let shorter: readonly T[] | undefined;
    for (let from = 0; from < list.length && shorter === undefined && mayGoOn(); from += size) {
      const without = [...list.slice(0, from), ...list.slice(from + size)];
      if (await fails(without)) shorter = without;
    }
    if (shorter !== undefined) {
      list = shorter;
      parts = Math.max(2, parts - 1);
    } else if (size === 1) return list;
    else parts = Math.min(list.length, parts * 2);
  }
  return list;
};
