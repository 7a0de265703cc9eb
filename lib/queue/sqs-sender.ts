/** Sending wake-ups to SQS: ten a call, order kept within a group, refused entries again, until SQS has accepted every one. */
import { setTimeout as sleep } from 'node:timers/promises';
import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { networkCause } from '../errors/network-cause.ts';
import { deduplicationIdOf, groupIdOf, type Message, targetOf } from './message.ts';
import { QueueError, type Sender } from './send.ts';

const batchSize = 10;
const tries = 4;
const concurrency = 4;

interface Entry {
  readonly Id: string;
  readonly MessageBody: string;
  readonly MessageGroupId: string;
  readonly MessageDeduplicationId: string;
}

const entryOf = (message: Message, index: number): Entry => ({
  Id: String(index),
  MessageBody: JSON.stringify(message),
  MessageGroupId: groupIdOf(targetOf(message)),
  MessageDeduplicationId: deduplicationIdOf(message),
});

/**
 * Batches of ten in which no group occurs twice: SQS may refuse one entry and accept those after it, and a later batch is sent
 * only when the one before has been accepted whole, so the order within a group holds.
 */
const batches = (entries: readonly Entry[]): readonly (readonly Entry[])[] => {
  const made: Entry[][] = [];
  for (const entry of entries) {
    const current = made.at(-1);
    const isFull = current === undefined || current.length === batchSize;
    if (isFull || current.some(({ MessageGroupId }) => MessageGroupId === entry.MessageGroupId)) made.push([entry]);
    else current.push(entry);
  }
  return made;
};

/** A sender on SQS; `queueUrl` gives the address of a queue by its name in the kind table. */
export const sqsSender = (
  client: SQSClient,
  queueUrl: (queue: string) => string,
  pause: (milliseconds: number) => Promise<unknown> = sleep,
): Sender => {
  const sendBatch = async (url: string, batch: readonly Entry[]): Promise<void> => {
    let left = batch;
    let refusal = '';
    for (let attempt = 0; attempt < tries; attempt += 1) {
      if (attempt > 0) await pause(100 * 4 ** (attempt - 1));
      const ids = new Set<string | undefined>();
      try {
        const answer = await client.send(new SendMessageBatchCommand({ QueueUrl: url, Entries: [...left] }), {
          abortSignal: AbortSignal.timeout(10_000),
        });
        for (const failed of answer.Failed ?? []) {
          ids.add(failed.Id);
          refusal = failed.Code ?? 'refused';
        }
      } catch (error) {
        for (const { Id } of left) ids.add(Id);
        refusal = networkCause(error);
      }
      left = left.filter(({ Id }) => ids.has(Id));
      if (left.length === 0) return;
    }
    throw new QueueError(`SQS did not accept ${left.length} messages for ${url} after ${tries} tries: ${refusal}`);
  };

  return {
    send: async (queue, messages) => {
      if (messages.length === 0) return;
      const url = queueUrl(queue);
      // Entries of one group stay in one lane, so their order survives the concurrency.
      const lanes = Array.from({ length: concurrency }, (): Message[] => []);
      for (const message of messages) {
        const lane = groupIdOf(targetOf(message)).charCodeAt(0) % concurrency;
        lanes[lane]?.push(message);
      }
      await Promise.all(
        lanes.map(async (lane) => {
          for (const batch of batches(lane.map(entryOf))) await sendBatch(url, batch);
        }),
      );
    },
  };
};
