/** How much lies in a queue on SQS. */
import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { networkCause } from '../errors/network-cause.ts';
import { QueueError } from './send.ts';

const deadlineMilliseconds = 5000;

/** Messages that wait or are worked on, by the queue's name; approximate, as everything that SQS counts. */
export const sqsBacklog =
  (client: SQSClient, queueUrl: (queue: string) => string) =>
  /** @throws QueueError */
  async (queue: string): Promise<number> => {
    try {
      const { Attributes = {} } = await client.send(
        new GetQueueAttributesCommand({
          QueueUrl: queueUrl(queue),
          AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
        }),
        { abortSignal: AbortSignal.timeout(deadlineMilliseconds) },
      );
      return (
        Number(Attributes['ApproximateNumberOfMessages'] ?? 0) +
        Number(Attributes['ApproximateNumberOfMessagesNotVisible'] ?? 0)
      );
    } catch (error) {
      throw new QueueError(`SQS did not say how much lies in ${queue}: ${networkCause(error)}`, { cause: error });
    }
  };
