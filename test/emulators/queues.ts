/** The queues of the kind table with their dead-letter queues, as serverless.yml declares them for AWS (DESIGN §3.2, §3.3). */
import { CreateQueueCommand, GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { type KindRow, maxReceiveCountOf, sqsRows, visibilitySeconds } from '../../lib/reconcile/kind-table.ts';

/** A queue that exists. */
export interface MadeQueue {
  readonly row: KindRow;
  readonly url: string;
  readonly arn: string;
}

/** What queues and dead-letter queues have in common. */
export const queueAttributes = {
  FifoQueue: 'true',
  DeduplicationScope: 'messageGroup',
  FifoThroughputLimit: 'perMessageGroupId',
  MessageRetentionPeriod: String(14 * 24 * 3600),
};

const make = async (
  sqs: SQSClient,
  name: string,
  attributes: Record<string, string>,
): Promise<{ url: string; arn: string }> => {
  const { QueueUrl: url = '' } = await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: attributes }));
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['QueueArn'] }));
  return { url, arn: Attributes?.['QueueArn'] ?? '' };
};

/** Makes every queue; `prefix` comes before the row's name. Making them again changes nothing. */
export const ensureQueues = (sqs: SQSClient, prefix: string): Promise<readonly MadeQueue[]> =>
  Promise.all(
    sqsRows.map(async (row) => {
      const deadLetters = await make(sqs, `${prefix}${row.name}-dlq.fifo`, queueAttributes);
      const queue = await make(sqs, `${prefix}${row.name}.fifo`, {
        ...queueAttributes,
        VisibilityTimeout: String(visibilitySeconds(row)),
        RedrivePolicy: JSON.stringify({
          deadLetterTargetArn: deadLetters.arn,
          maxReceiveCount: maxReceiveCountOf(row),
        }),
      });
      return { row, ...queue };
    }),
  );
