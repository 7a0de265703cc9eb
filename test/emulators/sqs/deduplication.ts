/** The five minutes in which a repeated id is accepted and not delivered, whether or not the first copy still exists. */

import { createHash } from 'node:crypto';
import { deduplicationWindowMs } from './limits.ts';
import type { Draft } from './message.ts';
import type { QueueSettings } from './settings.ts';

/** Remembers a value per key for the window that began when it was first stored. */
export class RecentKeys<V> {
  readonly #values = new Map<string, V>();
  #order: { readonly key: string; readonly until: number }[] = [];
  #head = 0;

  get size(): number {
    return this.#values.size;
  }

  /** The value stored less than the window ago. */
  get(key: string, now: number): V | undefined {
    this.#forget(now);
    return this.#values.get(key);
  }

  /** Stores a value; a repeated key keeps its first window. */
  remember(key: string, value: V, now: number): void {
    this.#forget(now);
    if (!this.#values.has(key)) this.#order.push({ key, until: now + deduplicationWindowMs });
    this.#values.set(key, value);
  }

  #forget(now: number): void {
    for (;;) {
      const oldest = this.#order[this.#head];
      if (oldest === undefined || oldest.until > now) break;
      this.#values.delete(oldest.key);
      this.#head += 1;
    }
    if (this.#head > 1024 && this.#head * 2 > this.#order.length) {
      this.#order = this.#order.slice(this.#head);
      this.#head = 0;
    }
  }
}

/** What makes two messages the same: the id or, where the queue says so, the body; per group where the queue says so. */
export const deduplicationKey = (
  { body, groupId, deduplicationId }: Pick<Draft, 'body' | 'groupId' | 'deduplicationId'>,
  { fifo, deduplicationScope }: Pick<QueueSettings, 'fifo' | 'deduplicationScope'>,
): string | undefined => {
  if (!fifo) return undefined;
  const id = deduplicationId ?? contentId(body);
  return deduplicationScope === 'messageGroup' ? `${groupId ?? ''} ${id}` : id;
};

/** The id of content-based deduplication: attributes do not count. */
export const contentId = (body: string): string => createHash('sha256').update(body).digest('hex');
