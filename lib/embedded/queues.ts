/** The queues of standalone mode as the rest of the code sees them: a sender, receipts, dead letters (DESIGN §3.18). */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Receipts } from '../queue/batch.ts';
import { markBulk, mayWait, tenantOf } from '../queue/bulk.ts';
import type { DeadLetters } from '../queue/dead-letters.ts';
import { groupOf, type Message, noveltyOf, targetOf } from '../queue/message.ts';
import type { Sender } from '../queue/send.ts';
import { type KindRow, maxReceiveCount, visibilitySeconds } from '../reconcile/kind-table.ts';
import { deadLettersOf, type Messages, type NewMessage } from './messages.ts';
import { EmbeddedQueue, type Invoke } from './queue.ts';

const stored = (message: Message): NewMessage => ({
  // As text: ids need no fixed length here, and a digest is most of what sending costs.
  target: groupOf(targetOf(message)),
  tenant: tenantOf(targetOf(message)),
  bulk: mayWait(message),
  id: noveltyOf(message),
  body: JSON.stringify(message),
});

/** What begins anew waits for so long: nothing else would keep it from being handed out at once. */
const requeuedMilliseconds = 5000;

/** What the queues are given. */
export interface EmbeddedQueuesOptions {
  readonly messages: Messages;
  readonly rows: readonly KindRow[];
  /** Targets of one queue that are worked on at once. */
  readonly concurrency: number;
  readonly clock: () => Date;
  readonly warn: (what: string, why: unknown) => void;
}

/** All queues of the kind table. */
export class EmbeddedQueues implements Sender, DeadLetters {
  readonly #messages: Messages;
  readonly #queues: ReadonlyMap<string, EmbeddedQueue>;
  readonly #clock: () => Date;

  constructor({ messages, rows, concurrency, clock, warn }: EmbeddedQueuesOptions) {
    this.#messages = messages;
    this.#clock = clock;
    messages.release();
    this.#queues = new Map(
      rows.map((row) => [
        row.name,
        new EmbeddedQueue({
          name: row.name,
          messages,
          concurrency,
          timeoutSeconds: row.timeoutSeconds,
          visibilitySeconds: visibilitySeconds(row),
          maxReceiveCount,
          clock,
          warn,
        }),
      ]),
    );
  }

  #queue(name: string): EmbeddedQueue {
    const queue = this.#queues.get(name);
    if (queue === undefined) throw new Error(`there is no queue ${name}: add a row to lib/reconcile/kind-table.ts`);
    return queue;
  }

  async send(queue: string, messages: readonly Message[]): Promise<void> {
    if (messages.length > 0) this.#queue(queue).send(markBulk(messages).map(stored));
  }

  /** Begins to hand the queue's messages to its function. */
  start(queue: string, invoke: Invoke): void {
    this.#queue(queue).start(invoke);
  }

  /** Hands out nothing more; resolves when what runs has ended. */
  async stop(): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.stop()));
  }

  /** What a function may do with the messages it holds. */
  receipts(): Receipts {
    return {
      delay: async (records, seconds) =>
        this.#messages.hide(
          records.map(({ receiptHandle }) => Number(receiptHandle)),
          Math.ceil(this.#clock().getTime() + seconds * 1000),
        ),
      delete: async (records) => this.#messages.delete(records.map(({ receiptHandle }) => Number(receiptHandle))),
      requeue: async (records) =>
        this.#messages.requeue(
          records.map(({ receiptHandle }) => Number(receiptHandle)),
          this.#clock().getTime() + requeuedMilliseconds,
        ),
    };
  }

  /** Messages in each queue, dead letters included: for `status` and tests. */
  counts(): ReadonlyMap<string, number> {
    return this.#messages.counts();
  }

  async look(queue: string): Promise<{ readonly arn: string; readonly messages: number }> {
    return { arn: queue, messages: this.#messages.count(deadLettersOf(queue)) };
  }

  async bringBack(queue: string, perSecond: number): Promise<void> {
    // In the background, as on SQS: whoever asks does not wait for it.
    const go = async (): Promise<void> => {
      for (;;) {
        const back = this.#messages.unbury(queue, perSecond);
        this.#queue(queue).revive(back);
        if (back.length < perSecond) return;
        await sleep(1000, undefined, { ref: false });
      }
    };
    void go();
  }
}
