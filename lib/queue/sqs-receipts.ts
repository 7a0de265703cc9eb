/** What a handler may do with the messages it holds, on SQS. */
import { ChangeMessageVisibilityBatchCommand, DeleteMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { SQSRecord } from 'aws-lambda';
import { networkCause } from '../errors/network-cause.ts';
import type { BatchPorts, Receipts } from './batch.ts';

/** Receipts of the queue at `queueUrl`. */
export const sqsReceipts = (client: SQSClient, queueUrl: string, log: BatchPorts['log']): Receipts => {
  const bestEffort = async (what: string, call: (abortSignal: AbortSignal) => Promise<unknown>): Promise<void> => {
    try {
      await call(AbortSignal.timeout(5000));
    } catch (error) {
      log('warn', `${what} failed`, { queueUrl, why: networkCause(error) });
    }
  };
  const entries = (records: readonly SQSRecord[]): { Id: string; ReceiptHandle: string }[] =>
    records.slice(0, 10).map((record, index) => ({ Id: String(index), ReceiptHandle: record.receiptHandle }));
  return {
    delay: (records, seconds) =>
      bestEffort('delaying messages', (abortSignal) =>
        client.send(
          new ChangeMessageVisibilityBatchCommand({
            QueueUrl: queueUrl,
            Entries: entries(records).map((entry) => ({ ...entry, VisibilityTimeout: Math.ceil(seconds) })),
          }),
          { abortSignal },
        ),
      ),
    delete: (records) =>
      bestEffort('deleting finished messages', (abortSignal) =>
        client.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries(records) }), { abortSignal }),
      ),
  };
};
