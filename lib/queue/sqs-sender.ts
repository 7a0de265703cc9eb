/**
 * Sending wake-ups to SQS: what was refused again, until SQS has accepted every one. What is bulk goes to a queue of its own, whose function hands
 * it on while there is room (hand-on.ts; docs/decisions/0009-fair-queues.md).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { networkCause } from '../errors/network-cause.ts';
import { bulkRow } from '../reconcile/kind-table.ts';
import { CallsAtOnce } from '../state/calls-at-once.ts';
import { bulkLaneOf, markBulk } from './bulk.ts';
import type { Envelope } from './envelope.ts';
import { deduplicationIdOf, digest, groupIdOf, type Message, noveltyOf, targetOf } from './message.ts';
import { Outbox } from './outbox.ts';
import { QueueError, type Sender } from './send.ts';

const tries = 4;
/** To all queues together; fewer than the connections that the SDK opens (50): there a call would wait with its clock running. */
const mostCalls = 40;

/** A message on its way: one of an object at a time, so that their order is kept. */
interface Entry {
  /** The object. */
  readonly group: string;
  readonly message: Message;
  /** The queue that it is for. */
  readonly to: string;
}

/** What an entry looks like on SQS. */
interface Form {
  url(queue: string): string;
  body(entry: Entry): string;
  group(entry: Entry): string;
  deduplicationId(entry: Entry): string;
}

/** In a kind's own queue: one object is never reconciled twice at once. */
const straight = (queueUrl: (queue: string) => string): Form => ({
  url: queueUrl,
  body: ({ message }) => JSON.stringify(message),
  group: ({ group }) => group,
  deduplicationId: ({ message }) => deduplicationIdOf(message),
});

/** In the queue of what is bulk: tenants are in turn. */
const aside = (queueUrl: (queue: string) => string): Form => ({
  url: () => queueUrl(bulkRow.name),
  body: ({ message, to }) => JSON.stringify({ to, message } satisfies Envelope),
  group: ({ message, to }) => digest(bulkLaneOf(message, to)),
  deduplicationId: ({ message, to }) => digest(`${to}\n${noveltyOf(message)}`),
});

type Pause = (milliseconds: number) => Promise<unknown>;

/** Sends every message in one form. */
const senderIn = (form: Form, client: SQSClient, pause: Pause, calls = new CallsAtOnce(mostCalls)): Sender => {
  const sendBatch = async (url: string, batch: readonly Entry[], accepted: (entry: Entry) => void): Promise<void> => {
    const left = new Map(
      batch.map((entry, index) => [
        String(index),
        {
          entry,
          sent: {
            Id: String(index),
            MessageBody: form.body(entry),
            MessageGroupId: form.group(entry),
            MessageDeduplicationId: form.deduplicationId(entry),
          },
        },
      ]),
    );
    let refusal = '';
    for (let attempt = 0; attempt < tries; attempt += 1) {
      if (attempt > 0) await pause(100 * 4 ** (attempt - 1));
      try {
        const answer = await calls.run(() =>
          client.send(
            new SendMessageBatchCommand({ QueueUrl: url, Entries: [...left.values()].map(({ sent }) => sent) }),
            { abortSignal: AbortSignal.timeout(10_000) },
          ),
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
      const url = form.url(queue);
      const outbox = outboxes.get(url) ?? new Outbox((batch, accepted) => sendBatch(url, batch, accepted));
      outboxes.set(url, outbox);
      return outbox.add(messages.map((message) => ({ group: groupIdOf(targetOf(message)), message, to: queue })));
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
  const calls = new CallsAtOnce(mostCalls);
  const ahead = senderIn(straight(queueUrl), client, pause, calls);
  const behind = senderIn(aside(queueUrl), client, pause, calls);
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
