/** Dead letters and depths on SQS. A letter that is looked at is hidden from others for as long as the look takes. */
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  type SQSClient,
  type Message as SqsMessage,
} from '@aws-sdk/client-sqs';
import { networkCause } from '../errors/network-cause.ts';
import type { Depth, Letter, Letters } from './letters.ts';
import { QueueError } from './send.ts';
import { sqsDeadLetters } from './sqs-dead-letters.ts';

const deadlineMilliseconds = 5000;
/** Longer than a look at a thousand letters. */
const lookSeconds = 60;
const atOnce = 10;
/** One letter is looked for among so many. */
const mostLooked = 10_000;
/** What finds nothing this often in a row has found everything: SQS may answer empty although there is something. */
const emptyAnswers = 2;
const redrivePerSecond = 10;

/** What is asked of SQS. `queueUrl` gives the address of a queue by its name. */
export interface SqsLettersOptions {
  readonly client: SQSClient;
  readonly queueUrl: (queue: string) => string;
  /** Seconds that the oldest message of a queue has waited, by CloudWatch. */
  readonly oldestSeconds: (queue: string) => Promise<number | undefined>;
  /** Seconds that SQS may look for letters before it answers that there are none; 1 without. */
  readonly waitSeconds?: number;
}

const letterOf =
  (queue: string) =>
  ({ MessageId, Body, Attributes }: SqsMessage): Letter => ({
    id: MessageId ?? '',
    queue,
    body: Body ?? '',
    sentAt: Attributes?.SentTimestamp === undefined ? undefined : Number(Attributes.SentTimestamp),
  });

/** Letters and depths. */
export const sqsLetters = ({
  client,
  queueUrl,
  oldestSeconds,
  waitSeconds = 1,
}: SqsLettersOptions): Letters & { depth(queue: string): Promise<Depth> } => {
  const deadLetters = sqsDeadLetters(client, queueUrl);
  const options = () => ({ abortSignal: AbortSignal.timeout(deadlineMilliseconds) });
  const asked = async <T>(what: string, call: () => Promise<T>): Promise<T> => {
    try {
      return await call();
    } catch (error) {
      throw new QueueError(`${what}: ${networkCause(error)}`, { cause: error });
    }
  };
  const urlOf = (queue: string): string => queueUrl(`${queue}-dlq`);

  /** Takes letters in hand until `enough` says so or there are no more, hands them to `each`, and shows them to others again. */
  const look = async <T>(
    queue: string,
    most: number,
    isEnough: (message: SqsMessage) => boolean,
    each: (messages: readonly SqsMessage[]) => Promise<T>,
  ): Promise<T> => {
    const QueueUrl = urlOf(queue);
    const held: SqsMessage[] = [];
    try {
      for (let empty = 0; empty < emptyAnswers && held.length < most && !held.some(isEnough); ) {
        const { Messages = [] } = await asked(`looking at the dead letters of ${queue}`, () =>
          client.send(
            new ReceiveMessageCommand({
              QueueUrl,
              MaxNumberOfMessages: Math.min(atOnce, most - held.length),
              VisibilityTimeout: lookSeconds,
              MessageSystemAttributeNames: ['SentTimestamp'],
              WaitTimeSeconds: waitSeconds,
            }),
            options(),
          ),
        );
        held.push(...Messages);
        empty = Messages.length === 0 ? empty + 1 : 0;
      }
      return await each(held);
    } finally {
      for (let from = 0; from < held.length; from += atOnce)
        await client
          .send(
            new ChangeMessageVisibilityBatchCommand({
              QueueUrl,
              Entries: held.slice(from, from + atOnce).map(({ ReceiptHandle }, index) => ({
                Id: String(index),
                ReceiptHandle: ReceiptHandle ?? '',
                VisibilityTimeout: 0,
              })),
            }),
            options(),
          )
          // They show themselves again after a minute, whatever becomes of this.
          .catch(() => undefined);
    }
  };

  return {
    list: (queue, most) =>
      look(
        queue,
        most,
        () => false,
        async (messages) => messages.map(letterOf(queue)),
      ),
    drop: (queue, id) =>
      look(
        queue,
        mostLooked,
        ({ MessageId }) => MessageId === id,
        async (messages) => {
          const found = messages.find(({ MessageId }) => MessageId === id);
          if (found === undefined) return false;
          await asked(`taking a dead letter of ${queue} away`, () =>
            client.send(
              new DeleteMessageCommand({ QueueUrl: urlOf(queue), ReceiptHandle: found.ReceiptHandle ?? '' }),
              options(),
            ),
          );
          return true;
        },
      ),
    dropAll: async (queue) => {
      await asked(`taking the dead letters of ${queue} away`, () =>
        client.send(new PurgeQueueCommand({ QueueUrl: urlOf(queue) }), options()),
      );
    },
    redriveAll: (queue) =>
      asked(`bringing the dead letters of ${queue} back`, async () => {
        const { arn } = await deadLetters.look(queue);
        await deadLetters.bringBack(arn, redrivePerSecond);
      }),
    depth: (queue) =>
      asked(`looking how much lies in ${queue}`, async () => {
        const { Attributes = {} } = await client.send(
          new GetQueueAttributesCommand({
            QueueUrl: queueUrl(queue),
            AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
          }),
          options(),
        );
        const waiting = Number(Attributes['ApproximateNumberOfMessages'] ?? 0);
        return {
          waiting,
          inHand: Number(Attributes['ApproximateNumberOfMessagesNotVisible'] ?? 0),
          deadLetters: (await deadLetters.look(queue)).messages,
          oldestSeconds: waiting === 0 ? undefined : await oldestSeconds(queue),
        };
      }),
  };
};
