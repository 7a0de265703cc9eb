/**
 * Reads the answer to a list object by object, and leaves long texts out: of objects with large annotations next to nothing is held
 * (Kubernetes API concepts, "Retrieving large results sets in chunks").
 */

const quote = 0x22;
const backslash = 0x5c;
const openings: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const closings: ReadonlySet<number> = new Set([0x5d, 0x7d]);
const openBrace = 0x7b;
const openBracket = 0x5b;

/** Names and versions are far shorter; longer are annotations, which nobody here reads. */
const mostTextBytes = 1024;
/** An object of the store has 1.5 MiB at most, without its long texts; as JSON some of its characters take six. */
const mostItemBytes = 12 * 1024 * 1024;
/** Everything of a list but its objects: a kind, a version, a token. */
const mostRestBytes = 1024 * 1024;

/** Bytes that come in pieces. */
class Pieces {
  readonly #pieces: Buffer[] = [];
  readonly #most: number;
  #bytes = 0;

  constructor(most: number) {
    this.#most = most;
  }

  add(piece: Buffer): void {
    if (piece.length === 0) return;
    this.#bytes += piece.length;
    if (this.#bytes > this.#most) throw new SyntaxError(`a part of the list is longer than ${this.#most} bytes`);
    this.#pieces.push(piece);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** What has come so far. */
  all(): Buffer {
    const [only] = this.#pieces;
    return this.#pieces.length === 1 && only !== undefined ? only : Buffer.concat(this.#pieces, this.#bytes);
  }

  text(): string {
    return this.all().toString('utf8');
  }

  clear(): void {
    this.#pieces.length = 0;
    this.#bytes = 0;
  }
}

/** What surrounds the objects of a list. */
export interface ListFrame {
  readonly metadata?: { readonly continue?: string; readonly resourceVersion?: string } | null;
  /** Empty: what was in it has been given. `null` when there are none, of some servers. */
  readonly items?: readonly unknown[] | null;
}

/** Takes a list's bytes as they come. All its methods throw SyntaxError for what is no list. */
export class ListReader {
  readonly #rest = new Pieces(mostRestBytes);
  readonly #item = new Pieces(mostItemBytes);
  /** The beginning of a text of an object that went on behind its chunk. */
  readonly #begun = new Pieces(mostTextBytes);
  readonly #each: (item: unknown) => void;
  #depth = 0;
  #isText = false;
  #isEscaped = false;
  /** Between the brackets of `items`. */
  #inItems = false;
  /** Between the braces of one of them. */
  #inItem = false;
  /** The text that is being read is too long. */
  #isLeftOut = false;

  /** `each` is given every object, in order, as soon as it is there; in place of its long texts stand empty ones. */
  constructor(each: (item: unknown) => void) {
    this.#each = each;
  }

  /** The next bytes. */
  push(chunk: Buffer): void {
    /** Everything before it is taken. */
    let from = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      if (this.#isText) {
        const begins = at;
        at = this.#endOfText(chunk, at);
        if (this.#inItem) from = this.#takeText(chunk, { from, begins, ends: at });
        continue;
      }
      const code = chunk[at] ?? 0;
      if (code === quote) this.#isText = true;
      else if (openings.has(code)) {
        if (this.#inItems && !this.#inItem) {
          from = at;
          this.#inItem = code === openBrace;
        } else if (code === openBracket && this.#depth === 1) {
          this.#rest.add(chunk.subarray(from, at + 1));
          from = at + 1;
          this.#inItems = /"items"\s{0,9}:\s{0,9}\[$/.test(this.#rest.text().slice(-40));
        }
        this.#depth += 1;
      } else if (closings.has(code)) {
        this.#depth -= 1;
        if (this.#inItem && this.#depth === 2) {
          this.#item.add(chunk.subarray(from, at + 1));
          from = at + 1;
          this.#inItem = false;
          this.#give();
        } else if (this.#inItems && this.#depth === 1) {
          this.#inItems = false;
          from = at;
        }
      }
    }
    if (this.#inItem) this.#item.add(Buffer.from(chunk.subarray(from)));
    else if (!this.#inItems) this.#rest.add(Buffer.from(chunk.subarray(from)));
  }

  /** Everything but the objects, when the last byte has come. */
  end(): ListFrame {
    const frame = JSON.parse(this.#rest.text()) as unknown;
    const { metadata, items } = (typeof frame === 'object' ? (frame ?? {}) : {}) as ListFrame;
    if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata))
      throw new SyntaxError('it has no metadata of a list');
    if (items !== null && !Array.isArray(items)) throw new SyntaxError('it has no items of a list');
    return { metadata, items };
  }

  /** Where in `chunk` the text ends that `at` is in: at its closing quote, or at the chunk's end when it goes on. */
  #endOfText(chunk: Buffer, at: number): number {
    for (let from = at; ; ) {
      const found = chunk.indexOf(quote, from);
      const end = found < 0 ? chunk.length : found;
      let slashes = from < end ? 0 : Number(this.#isEscaped);
      for (let index = end - 1; index >= from && chunk[index] === backslash; index -= 1)
        slashes += index === from ? 1 + Number(this.#isEscaped) : 1;
      this.#isEscaped = slashes % 2 === 1;
      if (found < 0) return end;
      if (!this.#isEscaped) {
        this.#isText = false;
        return found;
      }
      this.#isEscaped = false;
      from = found + 1;
    }
  }

  /** Leaves a text of an object out if it is long. Only a whole one may be: half of one could be half a character. Gives what is taken now. */
  #takeText(
    chunk: Buffer,
    { from, begins, ends }: { readonly from: number; readonly begins: number; readonly ends: number },
  ): number {
    const goesOn = this.#isText;
    this.#isLeftOut ||= this.#begun.bytes + ends - begins > mostTextBytes;
    if (!this.#isLeftOut && !goesOn) {
      if (this.#begun.bytes > 0) this.#item.add(Buffer.from(this.#begun.all()));
      this.#begun.clear();
      return from;
    }
    this.#item.add(Buffer.from(chunk.subarray(from, begins)));
    if (this.#isLeftOut) this.#begun.clear();
    else this.#begun.add(Buffer.from(chunk.subarray(begins, ends)));
    if (!goesOn) this.#isLeftOut = false;
    return ends;
  }

  #give(): void {
    const text = this.#item.text();
    this.#item.clear();
    this.#each(JSON.parse(text));
  }
}
