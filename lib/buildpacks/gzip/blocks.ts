/** The blocks of a deflate stream (RFC 1951 §3.2.3–3.2.7): dynamic codes, or stored where those gain too little. */
import { type BitWriter, type Code } from './bit-writer.ts';
import type { Token } from './matches.ts';
import { bitsFor, prefixCodes } from './prefix-codes.ts';

const endOfBlock = 256;
/** The order in which the lengths of the length codes are sent. */
const lengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

interface Extra {
  readonly symbol: number;
  readonly extra: number;
  readonly extraBits: number;
}

/** RFC 1951 §3.2.5, lengths: 257–285 for 3–258. */
const lengthSymbol = (length: number): Extra => {
  if (length === 258) return { symbol: 285, extra: 0, extraBits: 0 };
  const value = length - 3;
  if (value < 8) return { symbol: 257 + value, extra: 0, extraBits: 0 };
  const extraBits = 31 - Math.clz32(value) - 2;
  return { symbol: 257 + 4 * extraBits + (value >> extraBits), extra: value & ((1 << extraBits) - 1), extraBits };
};

/** RFC 1951 §3.2.5, distances: 0–29 for 1–32768. */
const distanceSymbol = (distance: number): Extra => {
  const value = distance - 1;
  if (value < 4) return { symbol: value, extra: 0, extraBits: 0 };
  const extraBits = 31 - Math.clz32(value) - 1;
  return { symbol: 2 * extraBits + (value >> extraBits), extra: value & ((1 << extraBits) - 1), extraBits };
};

interface LengthCode {
  readonly symbol: number;
  readonly extra: number;
  readonly extraBits: number;
}

const repeated = (length: number, count: number): LengthCode[] =>
  Array.from({ length: count }, () => ({ symbol: length, extra: 0, extraBits: 0 }));

/** One run of equal lengths in the alphabet of RFC 1951 §3.2.7. */
const runCodes = (length: number, run: number): readonly LengthCode[] => {
  const codes: LengthCode[] = [];
  let left = run;
  if (length === 0) {
    for (; left >= 11; left -= Math.min(138, left))
      codes.push({ symbol: 18, extra: Math.min(138, left) - 11, extraBits: 7 });
    if (left >= 3) {
      codes.push({ symbol: 17, extra: left - 3, extraBits: 3 });
      left = 0;
    }
  } else {
    codes.push(...repeated(length, 1));
    left -= 1;
    for (; left >= 3; left -= Math.min(6, left)) codes.push({ symbol: 16, extra: Math.min(6, left) - 3, extraBits: 2 });
  }
  codes.push(...repeated(length, left));
  return codes;
};

/** Lengths of both alphabets as one sequence of runs. */
const runLengths = (lengths: readonly number[]): readonly LengthCode[] => {
  const codes: LengthCode[] = [];
  for (let start = 0; start < lengths.length; ) {
    let end = start + 1;
    while (end < lengths.length && lengths[end] === lengths[start]) end += 1;
    codes.push(...runCodes(lengths[start] ?? 0, end - start));
    start = end;
  }
  return codes;
};

const frequencies = (size: number, symbols: Iterable<number>): number[] => {
  const counts = Array.from({ length: size }, () => 0);
  for (const symbol of symbols) counts[symbol] = (counts[symbol] ?? 0) + 1;
  return counts;
};

/** One more than the last symbol in use. */
const usedSize = (counts: readonly number[]): number => counts.findLastIndex((count) => count > 0) + 1;

/** Not final, as Go closes every stream with an empty stored block. */
export const storedBlock = (out: BitWriter, content: Uint8Array, final: boolean): void => {
  out.bits(final ? 1 : 0, 3);
  out.align();
  out.bits(content.length, 16);
  out.bits(~content.length & 0xffff, 16);
  out.bytes(content);
};

const lengthsOf = (codes: readonly (Code | undefined)[], size: number): readonly number[] =>
  Array.from({ length: size }, (_, symbol) => codes[symbol]?.length ?? 0);

/** Writes `content` as these tokens, or stored when that takes less than a sixteenth more. */
export const tokenBlock = (out: BitWriter, content: Uint8Array, tokens: readonly Token[]): void => {
  const parts = tokens.map((token) =>
    typeof token === 'number'
      ? token
      : { length: lengthSymbol(token.length), distance: distanceSymbol(token.distance) },
  );
  const literalCounts = frequencies(286, [
    ...parts.map((part) => (typeof part === 'number' ? part : part.length.symbol)),
    endOfBlock,
  ]);
  const distances = parts.flatMap((part) => (typeof part === 'number' ? [] : [part.distance.symbol]));
  const distanceCounts = frequencies(30, distances.length > 0 ? distances : [0]);

  const literalCodes = prefixCodes(literalCounts, 15);
  const distanceCodes = prefixCodes(distanceCounts, 15);
  const [literalSize, distanceSize] = [usedSize(literalCounts), usedSize(distanceCounts)];
  const runs = runLengths([...lengthsOf(literalCodes, literalSize), ...lengthsOf(distanceCodes, distanceSize)]);
  const runCounts = frequencies(
    19,
    runs.map(({ symbol }) => symbol),
  );
  const runCodesOf = prefixCodes(runCounts, 7);
  const sentLengths = Math.max(4, lengthOrder.findLastIndex((symbol) => (runCounts[symbol] ?? 0) > 0) + 1);

  const sizeBits =
    17 +
    3 * sentLengths +
    bitsFor(runCodesOf, runCounts) +
    runs.reduce((sum, { extraBits }) => sum + extraBits, 0) +
    bitsFor(literalCodes, literalCounts) +
    bitsFor(distanceCodes, distanceCounts);
  // The extra bits of repetitions are left out of the sum, as in Go: it decides between two encodings of equal content.
  if ((content.length + 5) * 8 < sizeBits + (sizeBits >> 4)) {
    storedBlock(out, content, false);
    return;
  }
  out.bits(4, 3);
  out.bits(literalSize - 257, 5);
  out.bits(distanceSize - 1, 5);
  out.bits(sentLengths - 4, 4);
  for (const symbol of lengthOrder.slice(0, sentLengths)) out.bits(runCodesOf[symbol]?.length ?? 0, 3);
  for (const { symbol, extra, extraBits } of runs) {
    out.code(runCodesOf[symbol]);
    out.bits(extra, extraBits);
  }
  for (const part of parts) {
    if (typeof part === 'number') {
      out.code(literalCodes[part]);
      continue;
    }
    out.code(literalCodes[part.length.symbol]);
    out.bits(part.length.extra, part.length.extraBits);
    out.code(distanceCodes[part.distance.symbol]);
    out.bits(part.distance.extra, part.distance.extraBits);
  }
  out.code(literalCodes[endOfBlock]);
};
