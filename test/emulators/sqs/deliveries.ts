/** From a received message to the members of ReceiveMessage's answer, with the attributes that were asked for. */

import { sqsError } from './errors.ts';
import { type MessageAttributes, md5OfAttributes, sequenceNumber } from './message.ts';
import type { Received } from './queue.ts';

const systemAttributeNames = [
  'All',
  'SenderId',
  'SentTimestamp',
  'ApproximateReceiveCount',
  'ApproximateFirstReceiveTimestamp',
  'SequenceNumber',
  'MessageDeduplicationId',
  'MessageGroupId',
  'AWSTraceHeader',
  'DeadLetterQueueSourceArn',
];
/** Names of the queue's own attributes, which old callers ask a receive for: accepted, nothing to say. */
const queueAttributeNames =
  /^(Policy|VisibilityTimeout|MaximumMessageSize|MessageRetentionPeriod|ApproximateNumberOfMessages\w*|CreatedTimestamp|LastModifiedTimestamp|QueueArn|DelaySeconds|ReceiveMessageWaitTimeSeconds|Redrive\w*|Fifo\w+|ContentBasedDeduplication|DeduplicationScope|Kms\w+|SqsManagedSseEnabled)$/;

/** Refuses a name that no message has. */
export const checkSystemAttributeNames = (names: readonly string[]): void => {
  for (const name of names) {
    if (!systemAttributeNames.includes(name) && !queueAttributeNames.test(name)) {
      throw sqsError('InvalidAttributeName', `Unknown Attribute ${name}.`);
    }
  }
};

const systemAttributes = (
  { message, receiveCount, firstReceivedAt }: Received,
  fifo: boolean,
): Readonly<Record<string, string | undefined>> => ({
  SenderId: message.senderId,
  SentTimestamp: String(message.sentAt),
  ApproximateReceiveCount: String(receiveCount),
  ApproximateFirstReceiveTimestamp: String(firstReceivedAt),
  MessageGroupId: message.groupId,
  AWSTraceHeader: message.traceHeader,
  DeadLetterQueueSourceArn: message.deadLetteredFrom,
  ...(fifo && {
    SequenceNumber: sequenceNumber(message.sequence),
    MessageDeduplicationId: message.deduplicationId,
  }),
});

/** A name itself, a prefix followed by `.*`, or everything. */
const isAskedFor = (name: string, asked: readonly string[]): boolean =>
  asked.some(
    (one) => one === 'All' || one === '.*' || one === name || (one.endsWith('.*') && name.startsWith(one.slice(0, -1))),
  );

/** One element of Messages. */
export const delivery = (
  received: Received,
  fifo: boolean,
  systemNames: readonly string[],
  attributeNames: readonly string[],
): Readonly<Record<string, unknown>> => {
  const { message, receiptHandle } = received;
  const system = Object.entries(systemAttributes(received, fifo)).filter(
    ([name, value]) => value !== undefined && (systemNames.includes('All') || systemNames.includes(name)),
  );
  const attributes: MessageAttributes = Object.fromEntries(
    Object.entries(message.attributes).filter(([name]) => isAskedFor(name, attributeNames)),
  );
  return {
    MessageId: message.id,
    ReceiptHandle: receiptHandle,
    MD5OfBody: message.bodyMd5,
    Body: message.body,
    ...(system.length > 0 && { Attributes: Object.fromEntries(system) }),
    ...(Object.keys(attributes).length > 0 && {
      MD5OfMessageAttributes: md5OfAttributes(attributes),
      MessageAttributes: Object.fromEntries(
        Object.entries(attributes).map(([name, { dataType, text, base64 }]) => [
          name,
          { DataType: dataType, ...(text === undefined ? { BinaryValue: base64 } : { StringValue: text }) },
        ]),
      ),
    }),
  };
};
