/** What a handler may do with the messages it holds, on SQS. */
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  SendMessageBatchCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { SQSRecord } from 'aws-lambda';
import { networkCause } from '../errors/network-cause.ts';
import type { BatchPorts, Receipts } from './batch.ts';
import { digest } from './message.ts';

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
  const remove = (records: readonly SQSRecord[]): Promise<void> =>
    bestEffort('deleting messages', (abortSignal) =>
      client.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries(records) }), { abortSignal }),
    );
  /** Sends them once more, under an id of the same object that is new, and deletes those that were accepted: who dies in between has them twice. */
  const requeue = async (abortSignal: AbortSignal, records: readonly SQSRecord[]): Promise<void> => {
    const sent = records.slice(0, 10);
    const { Failed = [] } = await client.send(
      new SendMessageBatchCommand({
        QueueUrl: queueUrl,
        Entries: sent.map(({ messageId, body, attributes }, index) => ({
          Id: String(index),
          MessageBody: body,
          MessageGroupId: attributes.MessageGroupId ?? '',
          MessageDeduplicationId: digest(messageId),
        })),
      }),
      { abortSignal },
    );
    const refused = new Set(Failed.map(({ Id }) => Id));
    await remove(sent.filter((_, index) => !refused.has(String(index))));
  };
  return {
    requeue: (records) => bestEffort('queueing messages anew', (abortSignal) => requeue(abortSignal, records)),
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
    delete: remove,
  };
};
