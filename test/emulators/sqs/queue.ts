/** One queue in memory: a state machine without timers, I/O or a clock of its own; every operation is O(log n) and takes `now`. */

import { randomUUID } from 'node:crypto';
import { deduplicationKey, RecentKeys } from './deduplication.ts';
import { invalidValue, sqsError } from './errors.ts';
import { fifoLine } from './fifo.ts';
import { IndexedHeap } from './heap.ts';
import { maxInFlight, maxVisibilitySeconds, second } from './limits.ts';
import { type Line, standardLine } from './line.ts';
import { type Draft, type MessageState, md5, md5OfAttributes, type StoredMessage, sizeOf } from './message.ts';
import { parseReceiptHandle, receiptHandle } from './receipt.ts';
import { isExhausted } from './redrive.ts';
import type { QueueSettings } from './settings.ts';

export interface Sent {
  readonly id: string;
  readonly bodyMd5: string;
  readonly attributesMd5: string | undefined;
  readonly sequence: number;
}

/** A message as one receive got it. */
export interface Received {
  readonly message: Readonly<StoredMessage>;
  readonly receiptHandle: string;
  readonly receiveCount: number;
  readonly firstReceivedAt: number;
}

export interface ReceiveOptions {
  /** 1 to 10. */
  readonly max: number;
  readonly visibilitySeconds: number;
  /** FIFO only: a repetition within five minutes gets the same messages. */
  readonly attemptId?: string | undefined;
}

/** What a message keeps when it comes from another queue instead of a sender. */
export type Arrival = Draft &
  Pick<StoredMessage, 'id' | 'sentAt' | 'receiveCount' | 'firstReceivedAt' | 'deadLetteredFrom'>;

interface Attempt {
  readonly received: readonly Received[];
  readonly wakesAt: number;
}

export interface QueueHooks {
  /** Something may have become receivable, or a sleeper's time has changed. */
  readonly changed: () => void;
  /** Offers an exhausted message to the dead-letter queue; false leaves it here. */
  readonly giveUp: (message: StoredMessage, now: number) => boolean;
}

export class Queue {
  settings: QueueSettings;
  readonly #hooks: QueueHooks;
  readonly #tag = randomUUID();
  readonly #messages = new Map<string, StoredMessage>();
  readonly #line: Line;
  /** Delayed and in-flight messages by the time they become ready. */
  readonly #sleeping = new IndexedHeap<StoredMessage>((a, b) => a.wakesAt < b.wakesAt);
  readonly #byAge = new IndexedHeap<StoredMessage>((a, b) => a.sentAt < b.sentAt);
  readonly #deduplication = new RecentKeys<Pick<Sent, 'id' | 'sequence'>>();
  readonly #attempts = new RecentKeys<Attempt>();
  readonly #counts: Record<MessageState, number> = { delayed: 0, ready: 0, inFlight: 0, gone: 0 };
  #sequence = 0;
  #receipts = 0;

  constructor(settings: QueueSettings, hooks: QueueHooks) {
    this.settings = settings;
    this.#hooks = hooks;
    this.#line = settings.fifo ? fifoLine() : standardLine();
  }

  /** Messages by state. */
  counts(now: number): Readonly<Omit<Record<MessageState, number>, 'gone'>> {
    this.advance(now);
    const { gone: _, ...counts } = this.#counts;
    return counts;
  }

  /** When the next sleeper becomes ready, in milliseconds since the epoch. */
  wakesAt(): number | undefined {
    return this.#sleeping.peek()?.wakesAt;
  }

  /** Seconds since the oldest message was sent; undefined when empty. */
  oldestAgeSeconds(now: number): number | undefined {
    const oldest = this.#byAge.peek();
    return oldest === undefined ? undefined : Math.floor((now - oldest.sentAt) / second);
  }

  /** Lets time pass: sleepers wake, messages past their retention vanish. */
  advance(now: number): void {
    for (
      let first = this.#sleeping.peek();
      first !== undefined && first.wakesAt <= now;
      first = this.#sleeping.peek()
    ) {
      this.#become(first, 'ready', now);
    }
    const keptSince = now - this.settings.retentionSeconds * second;
    for (
      let oldest = this.#byAge.peek();
      oldest !== undefined && oldest.sentAt <= keptSince;
      oldest = this.#byAge.peek()
    ) {
      this.#drop(oldest);
    }
  }

  /**
   * Stores a message whose rules have been checked. A repeated id is answered with the first copy's id and place, but with its own
   * digests: the SDK compares them with what it sent.
   */
  send(draft: Draft, now: number): Sent {
    this.advance(now);
    const key = deduplicationKey(draft, this.settings);
    const first = key === undefined ? undefined : this.#deduplication.get(key, now);
    if (first !== undefined) {
      return { ...first, bodyMd5: md5(draft.body), attributesMd5: md5OfAttributes(draft.attributes) };
    }

    const id = randomUUID();
    const delay = draft.delaySeconds ?? this.settings.delaySeconds;
    const arrival = {
      ...draft,
      id,
      sentAt: now,
      receiveCount: 0,
      firstReceivedAt: undefined,
      deadLetteredFrom: undefined,
    };
    const { bodyMd5, attributesMd5, sequence } = this.#store(arrival, now, now + delay * second);
    if (key !== undefined) this.#deduplication.remember(key, { id, sequence }, now);
    return { id, sequence, bodyMd5, attributesMd5 };
  }

  /** Takes in what another queue gave up or a move task brings: never delayed, never a duplicate. */
  accept(arrival: Arrival, now: number): void {
    this.#store(arrival, now, now);
  }

  /** Hands out up to `max` messages and hides them; exhausted ones are given up on the way. */
  receive({ max, visibilitySeconds, attemptId }: ReceiveOptions, now: number): readonly Received[] {
    this.advance(now);
    const wakesAt = now + visibilitySeconds * second;
    const replay = attemptId === undefined ? undefined : this.#replay(attemptId, wakesAt, now);
    if (replay !== undefined) return replay;

    const received: Received[] = [];
    let previous: StoredMessage | undefined;
    while (received.length < max) {
      const message = this.#line.next(previous);
      if (message === undefined) break;
      if (isExhausted(message.receiveCount, this.settings.redrive) && this.#hooks.giveUp(message, now)) {
        this.#drop(message);
        continue;
      }
      if (this.#counts.inFlight >= maxInFlight) {
        if (this.settings.fifo || received.length > 0) break;
        throw sqsError(
          'OverLimit',
          `More than ${maxInFlight} messages are in flight; delete messages as they are processed.`,
        );
      }
      received.push(this.#handOut(message, wakesAt, now));
      previous = message;
    }
    if (attemptId !== undefined && received.length > 0) this.#attempts.remember(attemptId, { received, wakesAt }, now);
    if (visibilitySeconds === 0) this.advance(now);
    return received;
  }

  /** Deletes by the handle of the latest receive. FIFO refuses a handle whose time is over; standard queues ignore a stale one. */
  delete(handle: string, now: number): void {
    this.advance(now);
    const { messageId, receipt } = parseReceiptHandle(this.#tag, handle);
    const message = this.#messages.get(messageId);
    if (message === undefined) return;
    const stale = message.receipt !== receipt;
    if (this.settings.fifo && (stale || message.state !== 'inFlight')) {
      throw invalidValue(handle, 'ReceiptHandle', 'The receipt handle has expired.');
    }
    if (!stale) this.#drop(message);
  }

  /** Lets a message in flight become visible after `seconds` from now; 0 gives it back at once. */
  changeVisibility(handle: string, seconds: number, now: number): void {
    this.advance(now);
    const { messageId, receipt } = parseReceiptHandle(this.#tag, handle);
    const message = this.#messages.get(messageId);
    const inFlight = message?.state === 'inFlight' && message.receipt === receipt;
    if (message !== undefined && !inFlight && !this.settings.fifo) {
      throw sqsError('MessageNotInflight', `Message ${messageId} is not in flight.`);
    }
    if (message === undefined || !inFlight) {
      const reason = 'Message does not exist or is not available for visibility timeout change.';
      throw invalidValue(handle, 'ReceiptHandle', reason);
    }
    const wakesAt = now + seconds * second;
    if (wakesAt > message.lastReceivedAt + maxVisibilitySeconds * second) {
      const limit = `Total VisibilityTimeout for the message is beyond the limit [${maxVisibilitySeconds} seconds]`;
      throw invalidValue(seconds, 'VisibilityTimeout', limit);
    }
    this.#become(message, 'inFlight', wakesAt);
    this.advance(now);
  }

  /** Offers the next ready message to `take` and removes it when taken: the step of a move task. */
  moveNext(take: (message: StoredMessage) => boolean, now: number): 'moved' | 'refused' | 'none' {
    this.advance(now);
    const message = this.#line.next(undefined);
    if (message === undefined) return 'none';
    if (!take(message)) return 'refused';
    this.#drop(message);
    return 'moved';
  }

  /** Deletes everything, also what is in flight. */
  purge(): void {
    for (const message of this.#messages.values()) this.#drop(message);
  }

  #store(arrival: Arrival, now: number, wakesAt: number): StoredMessage {
    this.#sequence += 1;
    const message: StoredMessage = {
      ...arrival,
      bodyMd5: md5(arrival.body),
      attributesMd5: md5OfAttributes(arrival.attributes),
      sizeBytes: sizeOf(arrival.body, arrival.attributes),
      sequence: this.#sequence,
      state: 'gone',
      wakesAt,
      lastReceivedAt: 0,
      receipt: '',
    };
    this.#messages.set(message.id, message);
    this.#byAge.add(message);
    this.#become(message, wakesAt > now ? 'delayed' : 'ready', wakesAt);
    return message;
  }

  #handOut(message: StoredMessage, wakesAt: number, now: number): Received {
    this.#receipts += 1;
    message.receipt = String(this.#receipts);
    message.receiveCount += 1;
    message.firstReceivedAt ??= now;
    message.lastReceivedAt = now;
    this.#become(message, 'inFlight', wakesAt);
    const { receipt, receiveCount, firstReceivedAt } = message;
    return {
      message,
      receiptHandle: receiptHandle(this.#tag, { messageId: message.id, receipt }),
      receiveCount,
      firstReceivedAt,
    };
  }

  /** The messages of an earlier attempt, hidden afresh, unless one of them has been deleted, given back or extended since. */
  #replay(attemptId: string, wakesAt: number, now: number): readonly Received[] | undefined {
    const attempt = this.#attempts.get(attemptId, now);
    const untouched = attempt?.received.every(
      ({ message, receiveCount }) =>
        message.state === 'inFlight' && message.receiveCount === receiveCount && message.wakesAt === attempt.wakesAt,
    );
    if (attempt === undefined || untouched !== true) return undefined;
    for (const { message } of attempt.received) this.#become(this.#messages.get(message.id), 'inFlight', wakesAt);
    this.#attempts.remember(attemptId, { ...attempt, wakesAt }, now);
    return attempt.received;
  }

  #drop(message: StoredMessage): void {
    this.#messages.delete(message.id);
    this.#byAge.remove(message);
    this.#become(message, 'gone', 0);
  }

  #become(message: StoredMessage | undefined, state: MessageState, wakesAt: number): void {
    if (message === undefined) return;
    this.#sleeping.remove(message);
    this.#counts[message.state] -= 1;
    this.#counts[state] += 1;
    message.state = state;
    message.wakesAt = wakesAt;
    if (state === 'delayed' || state === 'inFlight') this.#sleeping.add(message);
    this.#line.changed(message);
    this.#hooks.changed();
  }
}
