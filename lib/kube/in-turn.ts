/**
 * Requests to one API server, so many at once as keep it busy and no more; beyond that namespaces take turns (DESIGN §3.32). A request waits for those
 * before it wherever they wait: in the server, where nobody knows whose they are, or here.
 */
import { type KubeRequest, type KubeTransport, transportWith } from './transport.ts';

/** At 50 ms each, 640 a second. */
const mostAtOnce = 32;

/** Whose request it is: the namespace in its path; all that is in none is one. */
const namespaceOf = ({ path }: KubeRequest): string => {
  const start = path.indexOf('/namespaces/');
  if (start < 0) return '';
  const name = path.slice(start + '/namespaces/'.length);
  const end = name.indexOf('/');
  return end < 0 ? name : name.slice(0, end);
};

/** Places at the server, and who waits for one: namespaces in the order of their turns, each with its own in the order they came. */
class Places {
  #free: number;
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(free: number) {
    this.#free = free;
  }

  /** Resolves when there is a place, or when `signal` aborts: what is aborted takes none, but goes where it learns that. */
  async take(namespace: string, signal: AbortSignal | undefined): Promise<void> {
    if (this.#free > 0 || signal?.aborted === true) {
      this.#free -= 1;
      return;
    }
    await new Promise<void>((resolve) => {
      const waiting = this.#waiting.get(namespace) ?? new Set();
      const go = (): void => {
        signal?.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = (): void => {
        waiting.delete(go);
        if (waiting.size === 0) this.#waiting.delete(namespace);
        this.#free -= 1;
        resolve();
      };
      waiting.add(go);
      this.#waiting.set(namespace, waiting);
      signal?.addEventListener('abort', giveUp, { once: true });
    });
  }

  /** Gives the place to whose turn it is. */
  release(): void {
    this.#free += 1;
    if (this.#free <= 0) return;
    for (const [namespace, waiting] of this.#waiting) {
      this.#waiting.delete(namespace);
      for (const go of waiting) {
        waiting.delete(go);
        if (waiting.size > 0) this.#waiting.set(namespace, waiting);
        this.#free -= 1;
        go();
        return;
      }
    }
  }
}

/** The transport with namespaces in turn. Streams, which last, wait for nobody and hold no place. */
export const inTurn = (transport: KubeTransport, atOnce = mostAtOnce): KubeTransport => {
  const places = new Places(atOnce);
  return transportWith(transport, {
    send: async (request) => {
      await places.take(namespaceOf(request), request.signal);
      try {
        return await transport.send(request);
      } finally {
        places.release();
      }
    },
  });
};
