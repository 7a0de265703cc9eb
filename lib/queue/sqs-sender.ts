/** Sending wake-ups to SQS: what was refused again, until SQS has accepted every one. */
import { setTimeout as sleep } from 'node:timers/promises';
import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { networkCause } from '../errors/network-cause.ts';
import { deduplicationIdOf, groupIdOf, type Message, targetOf } from './message.ts';
import { Outbox } from './outbox.ts';
import { QueueError, type Sender } from './send.ts';

const tries = 4;

interface Entry {
  readonly group: string;
  readonly message: Message;
}

const entryOf = (message: Message): Entry => ({ group: groupIdOf(targetOf(message)), message });

/** A sender on SQS; `queueUrl` gives the address of a queue by its name in the kind table. */
export const sqsSender = (
  client: SQSClient,
  queueUrl: (queue: string) => string,
  pause: (milliseconds: number) => Promise<unknown> = sleep,
): Sender => {
  const sendBatch = async (url: string, batch: readonly Entry[], accepted: (entry: Entry) => void): Promise<void> => {
    const left = new Map(
      batch.map((entry, index) => [
        String(index),
        {
          entry,
          sent: {
            Id: String(index),
            MessageBody: JSON.stringify(entry.message),
            MessageGroupId: entry.group,
            MessageDeduplicationId: deduplicationIdOf(entry.message),
          },
        },
      ]),
    );
    let refusal = '';
    for (let attempt = 0; attempt < tries; attempt += 1) {
      if (attempt > 0) await pause(100 * 4 ** (attempt - 1));
      try {
        const answer = await client.send(
          new SendMessageBatchCommand({ QueueUrl: url, Entries: [...left.values()].map(({ sent }) => sent) }),
          { abortSignal: AbortSignal.timeout(10_000) },
        );
        const failed = new Map(answer.Failed?.map(({ Id, Code }) => [Id, Code]));
        for (const [id, { entry }] of left)
          if (failed.has(id)) refusal = failed.get(id) ?? 'refused';
          else {
            left.delete(id);
            accepted(entry);
          }
      } catch (error) {
        refusal = networkCause(error);
      }
      if (left.size === 0) return;
    }
    throw new QueueError(`SQS did not accept ${left.size} messages for ${url} after ${tries} tries: ${refusal}`);
  };

  const outboxes = new Map<string, Outbox<Entry>>();
  return {
    send: (queue, messages) => {
      const url = queueUrl(queue);
      const outbox = outboxes.get(url) ?? new Outbox((batch, accepted) => sendBatch(url, batch, accepted));
      outboxes.set(url, outbox);
      return outbox.add(messages.map(entryOf));
    },
  };
};
