/** The queues of one pretended account and region: names, ARNs, dead-letter routes. */

import type { Clock } from './clock.ts';
import { invalidParameter, noSuchQueue, sqsError } from './errors.ts';
import { checkQueueName, quietPeriodMs } from './limits.ts';
import { type Arrival, Queue } from './queue.ts';
import { mayRedriveTo } from './redrive.ts';
import {
  type AttributeMap,
  changedAttributes,
  defaultAttributes,
  type QueueSettings,
  settingsFrom,
} from './settings.ts';
import { Waiters } from './waiters.ts';

export const accountId = '000000000000';
const region = 'us-east-1';

/** A queue with everything around it. */
export interface NamedQueue {
  readonly name: string;
  readonly arn: string;
  readonly queue: Queue;
  readonly waiters: Waiters;
  readonly createdAt: number;
  attributes: AttributeMap;
  modifiedAt: number;
  purgedAt: number | undefined;
  tags: Readonly<Record<string, string>>;
}

const queueArn = (name: string): string => `arn:aws:sqs:${region}:${accountId}:${name}`;

export class Account {
  readonly #clock: Clock;
  readonly #queues = new Map<string, NamedQueue>();
  readonly #deletedAt = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  all(): readonly NamedQueue[] {
    return [...this.#queues.values()];
  }

  byName(name: string): NamedQueue {
    const found = this.#queues.get(name);
    if (found === undefined) throw noSuchQueue();
    return found;
  }

  byArn(arn: string): NamedQueue | undefined {
    const found = this.#queues.get(arn.slice(arn.lastIndexOf(':') + 1));
    return found?.arn === arn ? found : undefined;
  }

  /** Creates the queue, or finds the one of that name when the given attributes do not contradict it. */
  create(name: string, given: AttributeMap, tags: Readonly<Record<string, string>>): NamedQueue {
    const fifo = given['FifoQueue'] === 'true';
    checkQueueName(name, fifo);
    const attributes = changedAttributes(defaultAttributes(fifo), given, fifo);
    const existing = this.#queues.get(name);
    if (existing !== undefined) return sameQueue(existing, given);

    const now = this.#clock.now();
    if (now - (this.#deletedAt.get(name) ?? Number.NEGATIVE_INFINITY) < quietPeriodMs) {
      throw sqsError(
        'QueueDeletedRecently',
        'You must wait 60 seconds after deleting a queue before you can create another with the same name.',
      );
    }
    const arn = queueArn(name);
    const settings = settingsFrom(attributes);
    this.#checkDeadLetterRoute(arn, settings);
    const waiters = new Waiters(this.#clock, () => queue.wakesAt());
    const queue: Queue = new Queue(settings, {
      changed: () => waiters.wake(),
      giveUp: (message, at) => this.#deadLetter(arn, queue, message, at),
    });
    const created = {
      name,
      arn,
      queue,
      waiters,
      createdAt: now,
      modifiedAt: now,
      attributes,
      purgedAt: undefined,
      tags,
    };
    this.#queues.set(name, created);
    return created;
  }

  /** Changes attributes; a queue cannot change between standard and FIFO. */
  change(named: NamedQueue, change: AttributeMap): void {
    const { fifo } = named.queue.settings;
    if (change['FifoQueue'] !== undefined && !fifo)
      throw sqsError('InvalidAttributeName', 'Unknown Attribute FifoQueue.');
    const attributes = changedAttributes(named.attributes, change, fifo);
    const settings = settingsFrom(attributes);
    this.#checkDeadLetterRoute(named.arn, settings);
    named.attributes = attributes;
    named.queue.settings = settings;
    named.modifiedAt = this.#clock.now();
  }

  /** The queue and its messages vanish; whoever waits for one gets an answer without. */
  delete(named: NamedQueue): void {
    this.#queues.delete(named.name);
    this.#deletedAt.set(named.name, this.#clock.now());
    named.queue.purge();
    named.waiters.close();
  }

  /** Queues that give their messages up to this one. */
  sourcesOf(arn: string): readonly NamedQueue[] {
    return this.all().filter(({ queue }) => queue.settings.redrive?.deadLetterTargetArn === arn);
  }

  #checkDeadLetterRoute(arn: string, { fifo, redrive }: QueueSettings): void {
    if (redrive === undefined) return;
    const refuse = (reason: string): never => {
      throw invalidParameter(
        `Value ${JSON.stringify(redrive)} for parameter RedrivePolicy is invalid. Reason: ${reason}`,
      );
    };
    const target = this.byArn(redrive.deadLetterTargetArn);
    if (target === undefined) return refuse('Dead letter target does not exist.');
    if (target.queue.settings.fifo !== fifo) {
      refuse('Dead-letter queue must be same type of queue as the source.');
    }
    if (!mayRedriveTo(target.queue.settings.redriveAllow, arn)) {
      refuse('Not authorized to set the DeadLetterQueue due to the RedriveAllowPolicy configuration.');
    }
  }

  #deadLetter(arn: string, from: Queue, message: Arrival, now: number): boolean {
    const target = this.byArn(from.settings.redrive?.deadLetterTargetArn ?? '');
    if (target === undefined) return false;
    const { fifo } = target.queue.settings;
    target.queue.accept(
      {
        ...message,
        deadLetteredFrom: arn,
        // A standard queue's age goes on counting; on FIFO it starts again and the message id takes the place of the sender's id (spec 06 §3).
        ...(fifo && { sentAt: now, deduplicationId: message.id }),
      },
      now,
    );
    return true;
  }
}

const sameQueue = (existing: NamedQueue, given: AttributeMap): NamedQueue => {
  for (const [name, value] of Object.entries(given)) {
    if (existing.attributes[name] !== value) {
      throw sqsError(
        'QueueNameExists',
        `A queue already exists with the same name and a different value for attribute ${name}`,
      );
    }
  }
  return existing;
};
