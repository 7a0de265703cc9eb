/** Actions on messages, one at a time and in batches. */

import type { NamedQueue } from './account.ts';
import { checkSystemAttributeNames, delivery } from './deliveries.ts';
import { draftFrom, entryBytes } from './drafts.ts';
import { invalidValue, missingParameter, SqsError, sqsError } from './errors.ts';
import { type Input, number, optionalNumber, optionalText, structures, text, textList } from './input.ts';
import {
  checkBatch,
  checkIdentifier,
  maxBatchEntries,
  maxPayloadBytes,
  maxVisibilitySeconds,
  maxWaitSeconds,
  second,
  withinRange,
} from './limits.ts';
import { sequenceNumber } from './message.ts';
import { type Action, type Call, queueOf, type Service } from './service.ts';

const sent = ({ queue }: NamedQueue, input: Input, { senderId }: Call, now: number): object => {
  const { id, bodyMd5, attributesMd5, sequence } = queue.send(draftFrom(input, queue.settings, senderId), now);
  return {
    MessageId: id,
    MD5OfMessageBody: bodyMd5,
    ...(attributesMd5 !== undefined && { MD5OfMessageAttributes: attributesMd5 }),
    ...(queue.settings.fifo && { SequenceNumber: sequenceNumber(sequence) }),
  };
};

const sendMessage: Action = (service, input, call) => sent(queueOf(service, input), input, call, service.clock.now());

/** Runs each entry on its own: one refused entry fails alone. Anything but a refusal fails the request. */
const batch = (input: Input, entryName: string, run: (entry: Input) => object): object => {
  const entries = structures(input, 'Entries');
  checkBatch(
    entries.map((entry) => optionalText(entry, 'Id') ?? ''),
    entryName,
  );
  const successful: object[] = [];
  const failed: object[] = [];
  for (const entry of entries) {
    const Id = optionalText(entry, 'Id');
    try {
      successful.push({ Id, ...run(entry) });
    } catch (error) {
      if (!(error instanceof SqsError)) throw error;
      failed.push({ Id, SenderFault: true, Code: error.code, Message: error.message });
    }
  }
  return { Successful: successful, Failed: failed };
};

const sendMessageBatch: Action = (service, input, call) => {
  const named = queueOf(service, input);
  const bytes = structures(input, 'Entries').reduce((sum, entry) => sum + entryBytes(entry), 0);
  if (bytes > maxPayloadBytes) {
    throw sqsError(
      'BatchRequestTooLong',
      `Batch requests cannot be longer than ${maxPayloadBytes} bytes. You have sent ${bytes} bytes.`,
    );
  }
  const now = service.clock.now();
  return batch(input, 'SendMessageBatchRequestEntry', (entry) => sent(named, entry, call, now));
};

const receiveMessage: Action = async (service, input, { signal }) => {
  const { queue, waiters } = queueOf(service, input);
  const { fifo, visibilitySeconds, waitSeconds } = queue.settings;
  const systemNames = [...textList(input, 'AttributeNames'), ...textList(input, 'MessageSystemAttributeNames')];
  checkSystemAttributeNames(systemNames);
  const attributeNames = textList(input, 'MessageAttributeNames');
  const attemptId = optionalText(input, 'ReceiveRequestAttemptId');
  if (attemptId !== undefined) {
    if (!fifo) {
      throw invalidValue(
        attemptId,
        'ReceiveRequestAttemptId',
        'The request include parameter that is not valid for this queue type',
      );
    }
    checkIdentifier(attemptId, 'ReceiveRequestAttemptId');
  }
  const options = {
    max: ranged(input, 'MaxNumberOfMessages', 1, maxBatchEntries) ?? 1,
    visibilitySeconds: ranged(input, 'VisibilityTimeout', 0, maxVisibilitySeconds) ?? visibilitySeconds,
    attemptId,
  };
  const waitMs = (ranged(input, 'WaitTimeSeconds', 0, maxWaitSeconds) ?? waitSeconds) * second;

  const attempt = () => {
    const received = queue.receive(options, service.clock.now());
    return received.length > 0 ? received : undefined;
  };
  let received = attempt();
  if (received === undefined && waitMs > 0) {
    received = await waiters.first(attempt, service.clock.now() + waitMs, signal);
  }
  if (received === undefined) return {};
  return { Messages: received.map((one) => delivery(one, fifo, systemNames, attributeNames)) };
};

const ranged = (input: Input, name: string, least: number, most: number): number | undefined =>
  withinRange(optionalNumber(input, name), name, least, most);

const deleteOne = ({ queue }: NamedQueue, input: Input, { clock }: Service): object => {
  queue.delete(text(input, 'ReceiptHandle'), clock.now());
  return {};
};

const deleteMessage: Action = (service, input) => deleteOne(queueOf(service, input), input, service);

const deleteMessageBatch: Action = (service, input) => {
  const named = queueOf(service, input);
  return batch(input, 'DeleteMessageBatchRequestEntry', (entry) => deleteOne(named, entry, service));
};

const changeOne = ({ queue }: NamedQueue, input: Input, { clock }: Service): object => {
  const handle = text(input, 'ReceiptHandle');
  if (input['VisibilityTimeout'] === undefined) throw missingParameter('VisibilityTimeout');
  const seconds = number(input, 'VisibilityTimeout');
  withinRange(seconds, 'VisibilityTimeout', 0, maxVisibilitySeconds);
  queue.changeVisibility(handle, seconds, clock.now());
  return {};
};

const changeMessageVisibility: Action = (service, input) => changeOne(queueOf(service, input), input, service);

const changeMessageVisibilityBatch: Action = (service, input) => {
  const named = queueOf(service, input);
  return batch(input, 'ChangeMessageVisibilityBatchRequestEntry', (entry) => changeOne(named, entry, service));
};

export const messageActions: Readonly<Record<string, Action>> = {
  SendMessage: sendMessage,
  SendMessageBatch: sendMessageBatch,
  ReceiveMessage: receiveMessage,
  DeleteMessage: deleteMessage,
  DeleteMessageBatch: deleteMessageBatch,
  ChangeMessageVisibility: changeMessageVisibility,
  ChangeMessageVisibilityBatch: changeMessageVisibilityBatch,
};
