/** A watch that a client holds: as much of an answer's stream as the reflector reads. */
import type { Life } from '../virtual-time.ts';
import { parsed, type Stored, type StoreEvent } from './store.ts';

interface HeldOptions {
  /** The collection that is watched, of all namespaces. */
  readonly path: string;
  /** The version from which on it tells. */
  readonly from: number;
  readonly life: Life | undefined;
  readonly selects: (object: Stored) => boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Lines that were written and not yet read, and how it ends. */
export class HeldWatch implements AsyncIterable<Uint8Array> {
  readonly path: string;
  readonly life: Life | undefined;
  position: number;
  isClosed = false;
  /** Nothing comes any more, and nobody says so. */
  isDead = false;
  isDelivering = false;
  readonly #selects: HeldOptions['selects'];
  readonly #chunks: Buffer[] = [];
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  constructor({ path, from, life, selects, signal }: HeldOptions) {
    this.path = path;
    this.position = from;
    this.life = life;
    this.#selects = selects;
    signal?.addEventListener('abort', () => this.destroy(new Error('aborted')));
  }

  deliver(events: readonly StoreEvent[], show: (object: Stored) => object): void {
    const lines = events
      .filter(({ collection }) => collection === this.path)
      .map(({ type, text }) => ({ type, object: parsed(text) }))
      .filter(({ object }) => this.#selects(object))
      .map(({ type, object }) => `${JSON.stringify({ type, object: show(object) })}\n`);
    if (lines.length > 0) this.#write(lines.join(''));
  }

  bookmark(version: number): void {
    const object = { metadata: { resourceVersion: String(version) } };
    this.#write(`${JSON.stringify({ type: 'BOOKMARK', object })}\n`);
  }

  /** The server closes it as agreed. */
  end(): void {
    this.isClosed = true;
    this.#wake?.();
  }

  /** The connection breaks. */
  reset(): void {
    this.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
  }

  /** The client lets go. */
  destroy(error?: Error): void {
    this.#failure ??= error;
    this.end();
  }

  #write(text: string): void {
    if (this.isClosed) return;
    this.#chunks.push(Buffer.from(text));
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const chunk = this.#chunks.shift();
        if (chunk !== undefined) yield chunk;
        else if (this.#failure !== undefined) throw this.#failure;
        else if (this.isClosed) return;
        else
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
      }
    } finally {
      this.isClosed = true;
    }
  }
}
