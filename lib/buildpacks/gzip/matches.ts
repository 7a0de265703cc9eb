/**
 * Finds repetitions the way Go's fastest level does: one hash table of four-byte groups, no search, stepping faster where nothing
 * repeats. Which repetitions are found decides the bytes of a layer and so its digest (spec 04 §8.5).
 */

/** A literal byte, or a repetition of `length` bytes seen `distance` bytes ago. */
export type Token = number | { readonly length: number; readonly distance: number };

const hashBits = 14;
const farthest = 32768;
const longest = 258;
/** Matching stops this many bytes before the end of a block. */
const margin = 15;
const shortestBlock = 2 + margin;

const wordAt = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)) >>> 0;

const slotOf = (word: number): number => Math.imul(word, 0x1e35a7bd) >>> (32 - hashBits);

/** Turns the blocks of one stream, in turn, into tokens; a block may repeat what the one before held. */
export interface Matcher {
  readonly tokens: (block: Uint8Array) => readonly Token[];
}

export const matcher = (): Matcher => {
  const wordSeen = new Uint32Array(1 << hashBits);
  /** Where in the stream, counted from a start far enough back that an empty slot is out of reach. */
  const seenAt = new Float64Array(1 << hashBits);
  let streamAt = 65535;
  let before: Uint8Array = new Uint8Array(0);

  const remember = (word: number, at: number): { readonly at: number; readonly word: number } => {
    const slot = slotOf(word);
    const seen = { at: seenAt[slot] ?? 0, word: wordSeen[slot] ?? 0 };
    wordSeen[slot] = word;
    seenAt[slot] = at;
    return seen;
  };

  /** Length of the agreement from `s` with `t`; a negative `t` lies in the block before. */
  const agreement = (block: Uint8Array, s: number, t: number): number => {
    if (t < -before.length) return 0;
    const end = Math.min(s + longest - 4, block.length);
    let length = 0;
    while (s + length < end) {
      const from = t + length;
      if ((from < 0 ? before[before.length + from] : block[from]) !== block[s + length]) break;
      length += 1;
    }
    return length;
  };

  const tokens = (block: Uint8Array): readonly Token[] => {
    const found: Token[] = [];
    if (block.length < shortestBlock) {
      streamAt += 65535;
      before = new Uint8Array(0);
      return [...block];
    }
    const limit = block.length - margin;
    let emitted = 0;
    const literalsUpTo = (end: number): void => {
      for (; emitted < end; emitted += 1) found.push(block[emitted] ?? 0);
    };

    /** Position of the next match at or after `from` and where it repeats; undefined at the end. */
    const nextMatch = (from: number): { readonly s: number; readonly t: number } | undefined => {
      let skip = 32;
      for (let next = from; ; ) {
        const s = next;
        const step = skip >> 5;
        next = s + step;
        skip += step;
        if (next > limit) return undefined;
        const word = wordAt(block, s);
        const seen = remember(word, s + streamAt);
        const t = seen.at - streamAt;
        if (s - t <= farthest && seen.word === word) return { s, t };
      }
    };

    /** Emits matches for as long as one follows another; answers where to search on, undefined at the end. */
    const follow = (start: { readonly s: number; readonly t: number }): number | undefined => {
      let { s, t } = start;
      for (;;) {
        const length = 4 + agreement(block, s + 4, t + 4);
        found.push({ length, distance: s - t });
        s += length;
        emitted = s;
        if (s >= limit) return undefined;
        remember(wordAt(block, s - 1), s - 1 + streamAt);
        const word = wordAt(block, s);
        const seen = remember(word, s + streamAt);
        t = seen.at - streamAt;
        if (s - t > farthest || seen.word !== word) return s + 1;
      }
    };

    for (let from: number | undefined = 0; from !== undefined; ) {
      const match = nextMatch(from);
      if (match === undefined) break;
      literalsUpTo(match.s);
      from = follow(match);
    }
    literalsUpTo(block.length);
    streamAt += block.length;
    before = block;
    return found;
  };
  return { tokens };
};
