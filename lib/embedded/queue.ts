/**
 * One queue of standalone mode: hands the messages of one target at a time to its function, many targets at once, tenants in turn. What
 * SQS and Lambda's event-source mapping do together on AWS, held to the same contract suite (DESIGN §3.18, §3.32).
 */
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { mayTakePlace } from '../queue/shares.ts';
import type { Messages, NewMessage, StoredMessage } from './messages.ts';
import { Turns, type Waiting } from './turns.ts';

/** A function as Lambda would call it. */
export type Invoke = (
  event: SQSEvent,
  context: Pick<Context, 'getRemainingTimeInMillis'>,
) => Promise<SQSBatchResponse | undefined>;

/** What a queue is given. */
export interface QueueOptions {
  readonly name: string;
  readonly messages: Messages;
  /** Targets that are worked on at once; four fifths of them at most of one tenant. */
  readonly concurrency: number;
  /** What an invocation may take. */
  readonly timeoutSeconds: number;
  /** How long messages stay hidden when an invocation neither ends nor says anything. */
  readonly visibilitySeconds: number;
  /** A message that was handed out so often and failed is a dead letter. */
  readonly maxReceiveCount: number;
  readonly clock: () => Date;
  warn(what: string, why: unknown): void;
}

/** Messages of a target that one invocation takes at most; what is left follows at once. */
const mostAtOnce = 100;

const afterStoreFailedMilliseconds = 5000;

/** What is left of a target's messages after its turn. */
interface Left {
  /** Milliseconds since the epoch; in the past when nothing is hidden. */
  readonly hiddenUntil: number;
  /** There may be more than was handed out. */
  readonly more: boolean;
}

/** A message as Lambda's event shows it. */
const recordOf = (queue: string, { seq, body, sentAt, received }: StoredMessage): SQSRecord => ({
  messageId: String(seq),
  receiptHandle: String(seq),
  body,
  md5OfBody: '',
  messageAttributes: {},
  attributes: {
    ApproximateFirstReceiveTimestamp: String(sentAt),
    ApproximateReceiveCount: String(received),
    SenderId: '',
    SentTimestamp: String(sentAt),
  },
  eventSource: 'kpackless:embedded',
  eventSourceARN: queue,
  awsRegion: '',
});

/** Fails when a function outlives its time-out. It goes on beside the next invocation, as every pass may (DESIGN §3.5). */
const inTime = async <T>(work: Promise<T>, seconds: number): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it did not answer within ${seconds} s`)), seconds * 1000);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
};

/** One queue. Sending wakes it directly; nothing polls. */
export class EmbeddedQueue {
  readonly #options: QueueOptions;
  readonly #turns = new Turns();
  /** Targets that are worked on, and whether more has come for them meanwhile. */
  readonly #inHand = new Map<string, Waiting | undefined>();
  /** Targets whose messages are hidden until their timer fires. */
  readonly #hidden = new Map<string, NodeJS.Timeout>();
  /** How many targets of each tenant are worked on. */
  readonly #held = new Map<string, number>();
  readonly #running = new Set<Promise<void>>();
  #invoke: Invoke | undefined;
  #stopped = false;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  #now(): number {
    return this.#options.clock().getTime();
  }

  /** Stores messages and lets their targets wait for their turn. Once it returns they survive the process. */
  send(messages: readonly NewMessage[]): void {
    this.#options.messages.add(this.#options.name, messages, this.#now());
    for (const message of messages) this.#wait(message);
    this.#pump();
  }

  /** Begins to hand out: first what an earlier process left. */
  start(invoke: Invoke): void {
    this.#invoke = invoke;
    for (const { hiddenUntil, ...waiting } of this.#options.messages.waiting(this.#options.name))
      if (hiddenUntil > this.#now()) this.#hide(waiting, hiddenUntil);
      else this.#wait(waiting);
    this.#pump();
  }

  /** Hands out nothing more; resolves when what runs has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#hidden.values()) clearTimeout(timer);
    await Promise.all(this.#running);
  }

  /** Lets those wait whose dead letters have come back. */
  revive(waiting: readonly Waiting[]): void {
    for (const each of waiting) this.#wait(each);
    this.#pump();
  }

  #wait({ target, tenant, bulk }: Waiting): void {
    const waiting = { target, tenant, bulk };
    // Order within a target: nothing of it is handed out while something is in hand or hidden.
    if (this.#inHand.has(target)) this.#inHand.set(target, waiting);
    else if (!this.#hidden.has(target)) this.#turns.add(waiting);
  }

  #hide(waiting: Waiting, until: number): void {
    const timer = setTimeout(
      () => {
        this.#hidden.delete(waiting.target);
        this.#turns.add(waiting);
        this.#pump();
      },
      Math.max(0, until - this.#now()),
    );
    this.#hidden.set(waiting.target, timer);
  }

  #pump(): void {
    const invoke = this.#invoke;
    if (invoke === undefined) return;
    while (!this.#stopped && this.#inHand.size < this.#options.concurrency) {
      const free = this.#options.concurrency - this.#inHand.size;
      const next = this.#turns.next((tenant) => mayTakePlace(this.#held.get(tenant) ?? 0, free));
      if (next === undefined) return;
      this.#inHand.set(next.target, undefined);
      this.#hold(next, 1);
      const run = this.#work(next, invoke).finally(() => this.#running.delete(run));
      this.#running.add(run);
    }
  }

  #hold({ tenant }: Waiting, more: number): void {
    const held = (this.#held.get(tenant) ?? 0) + more;
    if (held > 0) this.#held.set(tenant, held);
    else this.#held.delete(tenant);
  }

  /** One turn of a target. When the store fails (a full disk) nothing is lost: it is tried again in seconds. */
  async #work(waiting: Waiting, invoke: Invoke): Promise<void> {
    let left: Left;
    try {
      left = await this.#handOut(waiting, invoke);
    } catch (error) {
      this.#options.warn(`the store of queue ${this.#options.name} failed`, error);
      left = { hiddenUntil: this.#now() + afterStoreFailedMilliseconds, more: false };
    }
    const come = this.#inHand.get(waiting.target);
    this.#inHand.delete(waiting.target);
    this.#hold(waiting, -1);
    if (this.#stopped) return;
    if (left.hiddenUntil > this.#now()) this.#hide(waiting, left.hiddenUntil);
    else if (come !== undefined || left.more) this.#turns.add(come ?? waiting);
    this.#pump();
  }

  /** One invocation for one target, and what becomes of its messages. */
  async #handOut(waiting: Waiting, invoke: Invoke): Promise<Left> {
    const { name, messages, visibilitySeconds, timeoutSeconds, maxReceiveCount } = this.#options;
    const now = this.#now();
    const received = messages.receive(name, waiting.target, mostAtOnce, now, now + visibilitySeconds * 1000);
    if (received.length === 0) return { hiddenUntil: messages.hiddenUntil(name, waiting.target), more: false };
    let failed: readonly StoredMessage[] = received;
    try {
      const endsAt = now + timeoutSeconds * 1000;
      const invoked = invoke(
        { Records: received.map((message) => recordOf(name, message)) },
        { getRemainingTimeInMillis: () => Math.max(0, endsAt - this.#now()) },
      );
      const answer = await inTime(invoked, timeoutSeconds);
      const failures = new Set(answer?.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
      failed = received.filter(({ seq }) => failures.has(String(seq)));
    } catch (error) {
      this.#options.warn(`the function of queue ${name} failed`, error);
    }
    if (this.#stopped && failed.length > 0) return { hiddenUntil: 0, more: false };
    messages.delete(received.filter((message) => !failed.includes(message)).map(({ seq }) => seq));
    const dead = failed.filter((message) => message.received >= maxReceiveCount);
    if (dead.length > 0)
      messages.bury(
        name,
        dead.map(({ seq }) => seq),
      );
    return {
      hiddenUntil: failed.length > dead.length ? messages.hiddenUntil(name, waiting.target) : 0,
      more: failed.length > 0 || received.length === mostAtOnce,
    };
  }
}
