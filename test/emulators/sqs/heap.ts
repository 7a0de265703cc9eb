/** A priority queue that can also remove from the middle, so that no deleted message lingers and nothing is ever scanned. */

/** Binary heap with the position of every item; all operations O(log n), an item is in it at most once. */
export class IndexedHeap<T> {
  readonly #items: T[] = [];
  readonly #positions = new Map<T, number>();
  readonly #before: (a: T, b: T) => boolean;

  /** `before` must not change for an item while it is inside: take it out, change it, put it back. */
  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before;
  }

  get size(): number {
    return this.#items.length;
  }

  /** The first item, left where it is. */
  peek(): T | undefined {
    return this.#items[0];
  }

  has(item: T): boolean {
    return this.#positions.has(item);
  }

  add(item: T): void {
    if (this.#positions.has(item)) return;
    this.#items.push(item);
    this.#positions.set(item, this.#items.length - 1);
    this.#rise(this.#items.length - 1);
  }

  /** Takes the item out; false when it was not in. */
  remove(item: T): boolean {
    const position = this.#positions.get(item);
    if (position === undefined) return false;
    this.#positions.delete(item);
    const last = this.#items.pop();
    if (last !== undefined && position < this.#items.length) {
      this.#place(last, position);
      this.#sink(position);
      this.#rise(position);
    }
    return true;
  }

  #place(item: T, position: number): void {
    this.#items[position] = item;
    this.#positions.set(item, position);
  }

  #rise(from: number): void {
    let position = from;
    while (position > 0) {
      const parent = (position - 1) >> 1;
      if (!this.#swapUnlessOrdered(parent, position)) return;
      position = parent;
    }
  }

  #sink(from: number): void {
    let position = from;
    for (;;) {
      const left = 2 * position + 1;
      if (left >= this.#items.length) return;
      const right = left + 1;
      const child = right < this.#items.length && this.#isBefore(right, left) ? right : left;
      if (!this.#swapUnlessOrdered(position, child)) return;
      position = child;
    }
  }

  #isBefore(a: number, b: number): boolean {
    return this.#before(this.#items[a] as T, this.#items[b] as T);
  }

  #swapUnlessOrdered(parent: number, child: number): boolean {
    if (!this.#isBefore(child, parent)) return false;
    const upper = this.#items[parent] as T;
    this.#place(this.#items[child] as T, parent);
    this.#place(upper, child);
    return true;
  }
}
