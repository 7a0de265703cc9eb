/** What a handler may do with the messages it holds, on SQS. */
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { SQSRecord } from 'aws-lambda';
import { networkCause } from '../errors/network-cause.ts';
import type { BatchPorts, Receipts } from './batch.ts';
import { digest } from './message.ts';
import { authorOf, firstSenderAttribute, type OwnSenders, sentBy } from './senders.ts';

/** Which queue, and in whose name. */
export interface SqsReceiptsOptions {
  readonly queueUrl: string;
  /** Whose word for who sent a message first is believed. */
  readonly own: OwnSenders;
  readonly log: BatchPorts['log'];
}

/** Receipts of a queue. */
export const sqsReceipts = (client: SQSClient, { queueUrl, own, log }: SqsReceiptsOptions): Receipts => {
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
  /** Whose a message is goes with it: sent by us it would be believed. */
  const withAuthor = (record: SQSRecord): Pick<SendMessageBatchRequestEntry, 'MessageAttributes'> => {
    const author = authorOf(own, sentBy(record));
    return author === ''
      ? {}
      : { MessageAttributes: { [firstSenderAttribute]: { DataType: 'String', StringValue: author } } };
  };
  /** Sends them once more, under an id of the same object that is new, and deletes those that were accepted: who dies in between has them twice. */
  const requeue = async (abortSignal: AbortSignal, records: readonly SQSRecord[]): Promise<void> => {
    const sent = records.slice(0, 10);
    const { Failed = [] } = await client.send(
      new SendMessageBatchCommand({
        QueueUrl: queueUrl,
        Entries: sent.map((record, index) => ({
          Id: String(index),
          MessageBody: record.body,
          MessageGroupId: record.attributes.MessageGroupId ?? '',
          MessageDeduplicationId: digest(record.messageId),
          ...withAuthor(record),
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
