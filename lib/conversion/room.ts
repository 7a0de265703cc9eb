/** Room in memory for what is in flight: who finds none waits for his turn, which is in order of coming. */

interface Waiting {
  readonly bytes: number;
  readonly enter: () => void;
}

/** So many bytes for all together. Nobody may ask for more than that. */
export class Room {
  #free: number;
  readonly #waiting: Waiting[] = [];

  constructor(bytes: number) {
    this.#free = bytes;
  }

  /** Resolves, once there is room, with what gives it back, once; rejects when `signal` aborts before. */
  take(bytes: number, signal: AbortSignal): Promise<() => void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        const index = this.#waiting.indexOf(waiting);
        if (index !== -1) this.#waiting.splice(index, 1);
        reject(signal.reason as Error);
        this.#next();
      };
      const enter = (): void => {
        signal.removeEventListener('abort', leave);
        this.#free -= bytes;
        let isHeld = true;
        resolve(() => {
          if (!isHeld) return;
          isHeld = false;
          this.#free += bytes;
          this.#next();
        });
      };
      const waiting: Waiting = { bytes, enter };
      if (signal.aborted) return reject(signal.reason as Error);
      signal.addEventListener('abort', leave);
      this.#waiting.push(waiting);
      this.#next();
    });
  }

  #next(): void {
    for (let [first] = this.#waiting; first !== undefined && first.bytes <= this.#free; [first] = this.#waiting) {
      this.#waiting.shift();
      first.enter();
    }
  }
}
