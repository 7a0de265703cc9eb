/** Bytes that arrive in pieces of any size, taken in the sizes that a format has. */

/** Reads one stream from its start to its end; nothing is held but the piece that arrived last and what was asked for. */
export class ByteSource {
  readonly #pieces: AsyncIterator<Uint8Array, unknown>;
  #held: Buffer = Buffer.alloc(0);
  #position = 0;

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  /** How many bytes were taken so far. */
  get position(): number {
    return this.#position;
  }

  /** The bytes, if they are here already: who takes many small things need not wait for each. */
  atHand(count: number): Buffer | undefined {
    return this.#held.length < count ? undefined : this.#cut(count);
  }

  /** So many bytes; fewer only where the stream ends. */
  async take(count: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for await (const part of this.pieces(count)) parts.push(part);
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
  }

  /** So many bytes, in pieces as they arrive; fewer only where the stream ends. */
  async *pieces(count: number): AsyncGenerator<Buffer> {
    for (let left = count; left > 0; ) {
      const piece = await this.#next(left);
      if (piece === undefined) return;
      left -= piece.length;
      yield piece;
    }
  }

  /** Passes over so many bytes; says how many there were. */
  async skip(count: number): Promise<number> {
    if (this.atHand(count) !== undefined) return count;
    let skipped = 0;
    for await (const piece of this.pieces(count)) skipped += piece.length;
    return skipped;
  }

  /** Whatever comes next, at most `limit` bytes; undefined at the end. */
  async any(limit: number): Promise<Buffer | undefined> {
    return await this.#next(limit);
  }

  /** Bytes that were taken and turned out to belong to what follows. */
  giveBack(bytes: Buffer): void {
    this.#position -= bytes.length;
    this.#held = this.#held.length === 0 ? bytes : Buffer.concat([bytes, this.#held]);
  }

  /** Nobody wants the rest. */
  async close(): Promise<void> {
    await this.#pieces.return?.();
  }

  async #next(limit: number): Promise<Buffer | undefined> {
    while (this.#held.length === 0) {
      const next = await this.#pieces.next();
      if (next.done === true) return undefined;
      this.#held = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
    }
    return this.#cut(Math.min(limit, this.#held.length));
  }

  #cut(count: number): Buffer {
    const piece = this.#held.subarray(0, count);
    this.#held = this.#held.subarray(count);
    this.#position += count;
    return piece;
  }
}
