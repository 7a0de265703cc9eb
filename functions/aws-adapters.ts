/** The adapters on AWS: DynamoDB, SQS and the function's own identity. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { embeddedMetrics } from '../lib/metrics/embedded-metrics.ts';
import { sqsDeadLetters } from '../lib/queue/sqs-dead-letters.ts';
import { sqsReceipts } from '../lib/queue/sqs-receipts.ts';
import { sqsSender } from '../lib/queue/sqs-sender.ts';
import type { Log } from '../lib/reconcile/log.ts';
import { DynamoDbTable } from '../lib/state/dynamodb-table.ts';
import { readsTogether } from '../lib/state/reads-together.ts';
import type { Adapters } from './adapters.ts';
import type { Settings } from './settings.ts';

/** The address of a queue, by its name in the kind table. */
export const queueUrlIn =
  ({ KPACKLESS_QUEUE_URL_PREFIX: prefix }: Settings) =>
  (queue: string): string =>
    `${prefix}${queue}.fifo`;

/** Clients are made once; they ask for credentials when they first send. */
export const awsAdapters = (settings: Settings, log: Log): Adapters => {
  const sqs = new SQSClient({});
  const queueUrl = queueUrlIn(settings);
  return {
    table: readsTogether(new DynamoDbTable(new DynamoDBClient({}), settings.KPACKLESS_TABLE)),
    sender: sqsSender(sqs, queueUrl),
    deadLetters: sqsDeadLetters(sqs, queueUrl),
    metrics: embeddedMetrics(
      { namespace: settings.KPACKLESS_METRICS_NAMESPACE, howMany: settings.KPACKLESS_METRICS },
      (fields) => log('info', 'counted', fields),
    ),
    receipts: (queue) => sqsReceipts(sqs, { queueUrl: queueUrl(queue), own: settings.KPACKLESS_SENDERS, log }),
    aws: {
      region: () => sqs.config.region(),
      credentials: async () => {
        const { accessKeyId, secretAccessKey, sessionToken } = await sqs.config.credentials();
        return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
      },
    },
  };
};
