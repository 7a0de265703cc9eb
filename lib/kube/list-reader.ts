/**
 * Reads the answer to a list object by object, so that of a page of objects with large annotations never more than one is held
 * (Kubernetes API concepts, "Retrieving large results sets in chunks").
 */

const quote = 0x22;
const backslash = 0x5c;
const openings: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const closings: ReadonlySet<number> = new Set([0x5d, 0x7d]);
const openBrace = 0x7b;
const openBracket = 0x5b;

/** An object of the store has 1.5 MiB at most; as JSON some of its characters take six. */
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

  /** What has come so far. */
  text(): string {
    const [only] = this.#pieces;
    return this.#pieces.length === 1 && only !== undefined
      ? only.toString('utf8')
      : Buffer.concat(this.#pieces, this.#bytes).toString('utf8');
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
  readonly #each: (item: unknown) => void;
  #depth = 0;
  #isText = false;
  #isEscaped = false;
  /** Between the brackets of `items`. */
  #inItems = false;
  /** Between the braces of one of them. */
  #inItem = false;

  /** `each` is given every object, in order, as soon as it is there. */
  constructor(each: (item: unknown) => void) {
    this.#each = each;
  }

  /** The next bytes. */
  push(chunk: Buffer): void {
    let from = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      const code = chunk[at] ?? 0;
      if (this.#isText) {
        at = this.#endOfText(chunk, at);
        continue;
      }
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

  /** Where in `chunk` the text ends that `at` is in; its end when it goes on. */
  #endOfText(chunk: Buffer, at: number): number {
    for (let index = at; index < chunk.length; index += 1) {
      const code = chunk[index];
      if (this.#isEscaped) this.#isEscaped = false;
      else if (code === backslash) this.#isEscaped = true;
      else if (code === quote) {
        this.#isText = false;
        return index;
      }
    }
    return chunk.length;
  }

  #give(): void {
    const text = this.#item.text();
    this.#item.clear();
    this.#each(JSON.parse(text));
  }
}
