/** Bits packed from the low end of each byte, as RFC 1951 §3.1.1 wants them. */

/** A prefix code of one symbol: `bits` already reversed, to be written from its low end. */
export interface Code {
  readonly bits: number;
  readonly length: number;
}

/** Collects bits into bytes. */
export interface BitWriter {
  /** Writes the low `count` bits of `value`; at most 16. */
  readonly bits: (value: number, count: number) => void;
  readonly code: (code: Code | undefined) => void;
  /** Fills up to the next whole byte with zeros. */
  readonly align: () => void;
  /** Whole bytes; only after `align`. */
  readonly bytes: (content: Uint8Array) => void;
  readonly finish: () => Uint8Array;
}

export const bitWriter = (): BitWriter => {
  const chunks: Uint8Array[] = [];
  let whole: number[] = [];
  let pending = 0;
  let pendingCount = 0;
  const bits = (value: number, count: number): void => {
    pending |= value << pendingCount;
    pendingCount += count;
    while (pendingCount >= 8) {
      whole.push(pending & 0xff);
      pending >>>= 8;
      pendingCount -= 8;
    }
  };
  const align = (): void => {
    if (pendingCount > 0) bits(0, 8 - pendingCount);
  };
  const flush = (): void => {
    chunks.push(Uint8Array.from(whole));
    whole = [];
  };
  return {
    bits,
    code: (code) => {
      if (code === undefined || code.length === 0) throw new Error('a symbol without a code was written');
      bits(code.bits, code.length);
    },
    align,
    bytes: (content) => {
      flush();
      chunks.push(content);
    },
    finish: () => {
      align();
      flush();
      return Buffer.concat(chunks);
    },
  };
};
