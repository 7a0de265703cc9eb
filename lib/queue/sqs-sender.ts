/**
 * Sending wake-ups to SQS: ten a call, order kept within an object, refused entries again, until SQS has accepted every one. What is bulk goes to a
 * queue of its own, whose function hands it on while there is room (hand-on.ts; docs/decisions/0009-fair-queues.md).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { networkCause } from '../errors/network-cause.ts';
import { bulkRow } from '../reconcile/kind-table.ts';
import { bulkLaneOf, markBulk } from './bulk.ts';
import type { Envelope } from './envelope.ts';
import { deduplicationIdOf, digest, groupIdOf, type Message, noveltyOf, targetOf } from './message.ts';
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

/** A message and the object it wakes, as a digest. */
interface Waking {
  readonly message: Message;
  readonly object: string;
}

/**
 * Batches of ten in which no object occurs twice: SQS may refuse one entry and accept those after it, and a later batch is sent
 * only when the one before has been accepted whole, so the order within an object holds.
 */
const batches = (all: readonly Waking[]): readonly (readonly Waking[])[] => {
  const made: Waking[][] = [];
  for (const one of all) {
    const current = made.at(-1);
    const isFull = current === undefined || current.length === batchSize;
    if (isFull || current.some(({ object }) => object === one.object)) made.push([one]);
    else current.push(one);
  }
  return made;
};

/** What a message for `queue` looks like on its way. */
interface Form {
  url(queue: string): string;
  body(message: Message, queue: string): string;
  group(waking: Waking, queue: string): string;
  deduplicationId(message: Message, queue: string): string;
}

/** In a kind's own queue: one object is never reconciled twice at once. */
const straight = (queueUrl: (queue: string) => string): Form => ({
  url: queueUrl,
  body: (message) => JSON.stringify(message),
  group: ({ object }) => object,
  deduplicationId: deduplicationIdOf,
});

/** In the queue of what is bulk: tenants are in turn. */
const aside = (queueUrl: (queue: string) => string): Form => ({
  url: () => queueUrl(bulkRow.name),
  body: (message, to) => JSON.stringify({ to, message } satisfies Envelope),
  group: ({ message }, to) => digest(bulkLaneOf(message, to)),
  deduplicationId: (message, to) => digest(`${to}\n${noveltyOf(message)}`),
});

type Pause = (milliseconds: number) => Promise<unknown>;

/** Sends every message in one form. */
const senderIn = (form: Form, client: SQSClient, pause: Pause): Sender => {
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
      const url = form.url(queue);
      const entryOf = (waking: Waking, index: number): Entry => ({
        Id: String(index),
        MessageBody: form.body(waking.message, queue),
        MessageGroupId: form.group(waking, queue),
        MessageDeduplicationId: form.deduplicationId(waking.message, queue),
      });
      // What wakes one object stays in one lane, so its order survives the concurrency.
      const lanes = Array.from({ length: concurrency }, (): Waking[] => []);
      for (const message of messages) {
        const object = groupIdOf(targetOf(message));
        lanes[object.charCodeAt(0) % concurrency]?.push({ message, object });
      }
      await Promise.all(
        lanes.map(async (lane) => {
          for (const batch of batches(lane)) await sendBatch(url, batch.map(entryOf));
        }),
      );
    },
  };
};

/** For so long the queue of what is bulk is not tried again when it has refused: it or the right to send to it comes with a deployment. */
const withoutBulkMilliseconds = 60_000;

/** Sends each message to the very queue that is named. `queueUrl` gives the address of a queue by its name in the kind table. */
export const sqsStraightSender = (
  client: SQSClient,
  queueUrl: (queue: string) => string,
  pause: Pause = sleep,
): Sender => senderIn(straight(queueUrl), client, pause);

/** A sender on SQS: what is bulk goes to the bulk queue; all else, and everything while that one is not there, straight to the queue that is named. */
export const sqsSender = (
  client: SQSClient,
  queueUrl: (queue: string) => string,
  pause: Pause = sleep,
  now: () => number = Date.now,
): Sender => {
  const ahead = sqsStraightSender(client, queueUrl, pause);
  const behind = senderIn(aside(queueUrl), client, pause);
  let bulkAgainAt = 0;

  const sendBulk = async (queue: string, messages: readonly Message[]): Promise<void> => {
    if (now() < bulkAgainAt) return ahead.send(queue, messages);
    try {
      await behind.send(queue, messages);
    } catch (error) {
      if (!(error instanceof QueueError)) throw error;
      // Half of them may have been accepted: a wake-up that comes twice costs a pass at most.
      bulkAgainAt = now() + withoutBulkMilliseconds;
      await ahead.send(queue, messages);
    }
  };

  return {
    send: async (queue, all) => {
      const { bulk = [], urgent = [] } = Object.groupBy(markBulk(all), (message) =>
        message.bulk === true ? 'bulk' : 'urgent',
      );
      await Promise.all([ahead.send(queue, urgent), sendBulk(queue, bulk)]);
    },
  };
};
