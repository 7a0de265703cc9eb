/** Dead-letter queues on SQS (spec 06 §3). */
import { GetQueueAttributesCommand, type SQSClient, StartMessageMoveTaskCommand } from '@aws-sdk/client-sqs';
import type { DeadLetters } from './dead-letters.ts';

const deadlineMilliseconds = 5000;

/** `queueUrl` gives the address of a queue by its name. */
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
