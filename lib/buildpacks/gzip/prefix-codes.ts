/** Optimal prefix codes of limited length (RFC 1951 §3.2.2), with ties broken as Go's compressor breaks them. */
import type { Code } from './bit-writer.ts';

interface Leaf {
  readonly symbol: number;
  readonly weight: number;
}

/**
 * One row of the package-merge: leaves and pairs of the row below in ascending weight; a leaf goes first only when strictly lighter.
 * Kept as the items' weights and, for each, whether it is a leaf.
 */
interface Row {
  readonly weights: readonly number[];
  readonly leaf: readonly boolean[];
}

const mergeRow = (leaves: readonly Leaf[], below: Row = { weights: [], leaf: [] }): Row => {
  const pairs: number[] = [];
  for (let i = 0; i + 1 < below.weights.length; i += 2) {
    pairs.push((below.weights[i] ?? 0) + (below.weights[i + 1] ?? 0));
  }
  const weights: number[] = [];
  const leaf: boolean[] = [];
  for (let l = 0, p = 0; l < leaves.length || p < pairs.length; ) {
    const leafWeight = leaves[l]?.weight ?? Number.POSITIVE_INFINITY;
    const pairWeight = pairs[p] ?? Number.POSITIVE_INFINITY;
    const takeLeaf = leafWeight < pairWeight;
    weights.push(takeLeaf ? leafWeight : pairWeight);
    leaf.push(takeLeaf);
    if (takeLeaf) l += 1;
    else p += 1;
  }
  return { weights, leaf };
};

/** How many symbols get codes of each length: index 1 is one bit. */
const lengthCounts = (leaves: readonly Leaf[], longest: number): readonly number[] => {
  const rows: Row[] = [];
  for (let row = 0; row < longest; row += 1) rows.push(mergeRow(leaves, rows.at(-1)));
  // Reading the rows from the top: the leaves among the items in use at depth d are the symbols of at least d bits.
  const atLeast: number[] = [leaves.length];
  let inUse = 2 * leaves.length - 2;
  for (const row of rows.reverse()) {
    const used = row.leaf.slice(0, inUse).filter(Boolean).length;
    atLeast.push(used);
    inUse = 2 * (inUse - used);
  }
  atLeast.shift();
  return [0, ...atLeast.map((count, depth) => count - (atLeast[depth + 1] ?? 0))];
};

const reversed = (value: number, length: number): number => {
  let result = 0;
  for (let bit = 0; bit < length; bit += 1) result |= ((value >> bit) & 1) << (length - 1 - bit);
  return result;
};

/** The code of each symbol of non-zero frequency, none longer than `limit`; one or two symbols get one bit each. */
export const prefixCodes = (frequencies: readonly number[], limit: number): readonly (Code | undefined)[] => {
  const codes: (Code | undefined)[] = frequencies.map(() => undefined);
  const used = frequencies.flatMap((weight, symbol): Leaf[] => (weight > 0 ? [{ symbol, weight }] : []));
  if (used.length <= 2) {
    used.forEach(({ symbol }, index) => {
      codes[symbol] = { bits: index, length: 1 };
    });
    return codes;
  }
  const byWeight = used.toSorted((a, b) => a.weight - b.weight || a.symbol - b.symbol);
  let next = 0;
  let left = byWeight.length;
  lengthCounts(byWeight, Math.min(limit, used.length - 1)).forEach((count, length) => {
    next <<= 1;
    const heaviest = byWeight.slice(left - count, left).sort((a, b) => a.symbol - b.symbol);
    for (const { symbol } of heaviest) {
      codes[symbol] = { bits: reversed(next, length), length };
      next += 1;
    }
    left -= count;
  });
  return codes;
};

/** Bits the message takes when each symbol occurs as often as counted. */
export const bitsFor = (codes: readonly (Code | undefined)[], frequencies: readonly number[]): number =>
  frequencies.reduce((sum, count, symbol) => sum + count * (codes[symbol]?.length ?? 0), 0);
