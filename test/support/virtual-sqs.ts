/** The emulator's queues in virtual time, behind what our code uses of the SDK's client: its protocol costs more than all that is simulated. */
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { maxReceiveCount, maxReceiveCountOf, sqsRows, visibilitySeconds } from '../../lib/reconcile/kind-table.ts';
import { queueAttributes } from '../emulators/queues.ts';
import { Queue } from '../emulators/sqs/queue.ts';
import { defaultAttributes, settingsFrom } from '../emulators/sqs/settings.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What one call takes, in milliseconds. */
const callMilliseconds = 8;

interface Waiter {
  readonly max: number;
  readonly resolve: (answer: object) => void;
}

/** Queues of the kind table by name, each with the queue's own name as its address. */
export class VirtualSqs {
  readonly #time: VirtualTime;
  readonly #queues: ReadonlyMap<string, Queue>;
  /** Receives that found nothing, in order. */
  readonly #waiting = new Map<string, Waiter[]>();
  /** Queues that are looked at when everybody has had his say, and when. */
  readonly #looked = new Set<string>();
  readonly #alarmAt = new Map<string, number>();
  /** Messages that went to dead letters. */
  dead = 0;
  /** While it is away it answers nobody: our calls fail, and what Lambda asks for waits until it is back. */
  #isAway = false;
  /** What Lambda has asked for meanwhile. */
  #untilBack: (() => void)[] = [];
  /** The most that lay in each queue, those that were worked on included. */
  readonly most = new Map<string, number>();

  constructor(time: VirtualTime, receives = maxReceiveCount) {
    this.#time = time;
    this.#queues = new Map(
      sqsRows.map((row) => {
        const attributes = {
          ...defaultAttributes(true),
          ...queueAttributes,
          VisibilityTimeout: String(visibilitySeconds(row)),
          RedrivePolicy: JSON.stringify({
            deadLetterTargetArn: 'dead',
            maxReceiveCount: Math.max(receives, maxReceiveCountOf(row)),
          }),
        };
        const hooks = { changed: () => this.#wake(row.name), giveUp: () => (this.dead += 1) > 0 };
        return [row.name, new Queue(settingsFrom(attributes), hooks)];
      }),
    );
  }

  /** As much of a client as senders, mappings and receipts use. */
  readonly client = {
    send: (command: unknown, options?: { readonly abortSignal?: AbortSignal }) =>
      this.#answer(command, options?.abortSignal === undefined),
  } as unknown as SQSClient;

  setAway(isAway: boolean): void {
    this.#isAway = isAway;
    if (isAway) return;
    for (const goOn of this.#untilBack.splice(0)) goOn();
    for (const name of this.#queues.keys()) this.#wake(name);
  }

  held(name: string): number {
    const { ready, inFlight, delayed } = this.#queue(name).counts(this.#time.now);
    return ready + inFlight + delayed;
  }

  #queue(name = ''): Queue {
    const queue = this.#queues.get(name);
    if (queue === undefined) throw new Error(`there is no queue ${name}`);
    return queue;
  }

  #wake(name: string): void {
    if (this.#looked.has(name)) return;
    this.#looked.add(name);
    queueMicrotask(() => {
      this.#looked.delete(name);
      this.#serve(name);
    });
  }

  /** Answers those who wait while there is something for them; looks again when something hidden becomes visible. */
  #serve(name: string): void {
    if (this.#isAway) return;
    const waiting = this.#waiting.get(name) ?? [];
    for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
      const answer = this.#received(name, first.max);
      if (answer === undefined) break;
      waiting.shift();
      first.resolve(answer);
    }
    const wakesAt = this.#queue(name).wakesAt();
    const alarmAt = this.#alarmAt.get(name) ?? 0;
    // What is visible already waits for who asks next.
    if (wakesAt === undefined || wakesAt <= this.#time.now) return;
    if (alarmAt > this.#time.now && alarmAt <= wakesAt) return;
    this.#alarmAt.set(name, wakesAt);
    this.#time.at(wakesAt, () => this.#wake(name));
  }

  /** `isPatient`: nobody of ours gives it up, as Lambda does not when it deletes. */
  async #answer(command: unknown, isPatient: boolean): Promise<object> {
    await this.#time.sleep(callMilliseconds);
    if (this.#isAway && isPatient) await new Promise<void>((goOn) => this.#untilBack.push(goOn));
    if (this.#isAway && !(command instanceof ReceiveMessageCommand)) throw new Error('SQS is away');
    const { now } = this.#time;
    if (command instanceof SendMessageBatchCommand) {
      const { QueueUrl = '', Entries = [] } = command.input;
      for (const { MessageBody = '', MessageGroupId, MessageDeduplicationId } of Entries)
        this.#queue(QueueUrl).send(
          {
            body: MessageBody,
            attributes: {},
            senderId: '',
            groupId: MessageGroupId,
            deduplicationId: MessageDeduplicationId,
          },
          now,
        );
      this.most.set(QueueUrl, Math.max(this.most.get(QueueUrl) ?? 0, this.held(QueueUrl)));
      return {};
    }
    if (command instanceof GetQueueAttributesCommand) {
      const { ready, inFlight } = this.#queue(command.input.QueueUrl).counts(now);
      return {
        Attributes: {
          ApproximateNumberOfMessages: String(ready),
          ApproximateNumberOfMessagesNotVisible: String(inFlight),
        },
      };
    }
    if (command instanceof DeleteMessageBatchCommand) {
      for (const { ReceiptHandle = '' } of command.input.Entries ?? [])
        this.#queue(command.input.QueueUrl).delete(ReceiptHandle, now);
      return {};
    }
    if (command instanceof ChangeMessageVisibilityBatchCommand) {
      for (const { ReceiptHandle = '', VisibilityTimeout = 0 } of command.input.Entries ?? [])
        this.#queue(command.input.QueueUrl).changeVisibility(ReceiptHandle, VisibilityTimeout, now);
      return {};
    }
    if (command instanceof ReceiveMessageCommand) {
      const { QueueUrl = '', MaxNumberOfMessages: max = 1 } = command.input;
      return new Promise((resolve) => {
        this.#waiting.set(QueueUrl, [...(this.#waiting.get(QueueUrl) ?? []), { max, resolve }]);
        this.#wake(QueueUrl);
      });
    }
    throw new Error('the virtual queues do not know this call');
  }

  #received(name: string, max: number): object | undefined {
    const queue = this.#queue(name);
    const received = queue.receive({ max, visibilitySeconds: queue.settings.visibilitySeconds }, this.#time.now);
    if (received.length === 0) return undefined;
    return {
      Messages: received.map(({ message, receiptHandle, receiveCount }) => ({
        MessageId: message.id,
        ReceiptHandle: receiptHandle,
        Body: message.body,
        Attributes: { ApproximateReceiveCount: String(receiveCount), SenderId: '' },
      })),
    };
  }
}
