/** Dead-letter queues: how full they are, and the way back (spec 06 §3). */
import { GetQueueAttributesCommand, type SQSClient, StartMessageMoveTaskCommand } from '@aws-sdk/client-sqs';

/** What lies in a dead-letter queue. */
export interface DeadLetterQueue {
  readonly arn: string;
  /** Approximate, as everything that SQS counts. */
  readonly messages: number;
}

/** The dead-letter queues, by the queue's name in the kind table. Both throw what the SDK throws. */
export interface DeadLetters {
  look(queue: string): Promise<DeadLetterQueue>;
  /** Moves everything back to where it came from, so many a second; each message then has all its receives again. */
  bringBack(arn: string, perSecond: number): Promise<void>;
}

const deadlineMilliseconds = 5000;

/** On SQS itself; `queueUrl` gives the address of a queue by its name. */
export const sqsDeadLetters = (client: SQSClient, queueUrl: (queue: string) => string): DeadLetters => ({
  look: async (queue) => {
    const { Attributes = {} } = await client.send(
      new GetQueueAttributesCommand({
        QueueUrl: queueUrl(`${queue}-dlq`),
        AttributeNames: ['QueueArn', 'ApproximateNumberOfMessages'],
      }),
      { abortSignal: AbortSignal.timeout(deadlineMilliseconds) },
    );
    return { arn: Attributes['QueueArn'] ?? '', messages: Number(Attributes['ApproximateNumberOfMessages'] ?? 0) };
  },
  bringBack: async (SourceArn, MaxNumberOfMessagesPerSecond) => {
    await client.send(new StartMessageMoveTaskCommand({ SourceArn, MaxNumberOfMessagesPerSecond }), {
      abortSignal: AbortSignal.timeout(deadlineMilliseconds),
    });
  },
});
