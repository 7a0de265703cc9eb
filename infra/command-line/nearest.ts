/** What somebody who mistyped a name most likely meant. */

/** Insertions, deletions, replacements and swaps of neighbours between two words (optimal string alignment). */
const distance = (from: string, to: string): number => {
  const rows = [Array.from({ length: to.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= from.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= to.length; j += 1) {
      const isSame = from[i - 1] === to[j - 1];
      const swaps = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      const at = (up: number, left: number): number => rows[i - up]?.[j - left] ?? Number.POSITIVE_INFINITY;
      const beside = (row[j - 1] ?? 0) + 1;
      row[j] = Math.min(at(1, 0) + 1, beside, at(1, 1) + (isSame ? 0 : 1), swaps ? at(2, 2) + 1 : beside);
    }
    rows.push(row);
  }
  return rows[from.length]?.[to.length] ?? 0;
};

/** The name that `given` is at most two slips from, or is spelt like apart from case, `-` and `_`; undefined when there is none. */
export const nearestTo = (given: string, names: readonly string[]): string | undefined => {
  const plain = (name: string): string => name.toLowerCase().replaceAll(/[-_]/g, '');
  const [best] = names
    .map((name) => ({ name, slips: distance(plain(given.slice(0, 64)), plain(name)) }))
    .filter(({ name, slips }) => slips <= Math.min(2, Math.floor(plain(name).length / 3)))
    .sort((a, b) => a.slips - b.slips);
  return best?.name;
};
