/**
 * What came in bulk is handed on to the queue that it is for, while few wait there: so nobody has more than that many of others before him, and
 * tenants are in turn (DESIGN §3.32). Nothing is ever in two queues that wake it: it leaves this one when the other has accepted it, and comes
 * there once more at most, under the same deduplication id.
 */
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { ExpectedError } from '../errors/expected.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { concurrencies, usualAccount } from '../reconcile/concurrency.ts';
import { bulkRow } from '../reconcile/kind-table.ts';
import { type Log, sayError } from '../reconcile/log.ts';
import { heard, type Receipts } from './batch.ts';
import { type Envelope, parseEnvelope } from './envelope.ts';
import type { Sender } from './send.ts';
import type { MayWake } from './senders.ts';

/** What handing on needs. */
export interface HandOnPorts {
  /** Sends to the very queue that is named. */
  readonly straight: Sender;
  /** Messages in a queue, those that are worked on included; approximate. @throws QueueError */
  backlog(queue: string): Promise<number>;
  /** Invocations at once that the account allows in all; as many as is usual without. */
  readonly accountConcurrency?: number;
  /** Of the bulk queue. */
  readonly receipts: Pick<Receipts, 'delay'>;
  readonly mayWake: MayWake;
  readonly log: Log;
  readonly metrics?: Metrics;
  pause(milliseconds: number): Promise<unknown>;
}

/** How often a queue that is full is looked at again. */
const lookMilliseconds = 100;
/** So often in one invocation: what then waits gives others its place for a moment. */
const looks = 40;
const afterFullSeconds = 1;
const afterFailureSeconds = 5;
/** Until a message of a later version is looked at again. */
const afterNewerSeconds = 30;
/** What is left for reporting. */
const reserveSeconds = 5;

/** How many may lie in a queue for more to be handed on: one for each invocation that may run, so that what comes straight finds one that is free. */
export const mostAhead = (queue: string, accountConcurrency = usualAccount): number =>
  concurrencies(accountConcurrency).get(queue) ?? 0;

/** How many of those that wait are handed on: a part of the room, as others look at the same moment. */
export const mayGo = (backlog: number, limit: number): number => Math.max(0, Math.ceil((limit - backlog) / 4));

interface Waiting {
  readonly record: SQSRecord;
  readonly envelope: Envelope;
}

/** Hands on what there is room for, in order; gives those that must come again. */
const handOnTo = async (
  queue: string,
  all: readonly Waiting[],
  secondsLeft: () => number,
  ports: HandOnPorts,
): Promise<readonly Waiting[]> => {
  let waiting = all;
  for (let look = 1; ; look += 1) {
    const going = waiting.slice(0, mayGo(await ports.backlog(queue), mostAhead(queue, ports.accountConcurrency)));
    await ports.straight.send(
      queue,
      going.map(({ envelope }) => envelope.message),
    );
    waiting = waiting.slice(going.length);
    if (waiting.length === 0 || look === looks || secondsLeft() < reserveSeconds) return waiting;
    if (going.length === 0) await ports.pause(lookMilliseconds);
  }
};

/** Which messages are to be handed on, and which wait for a later deployment. @throws StateError when nobody can say whose they are: then all wait */
const sorted = async (
  records: readonly SQSRecord[],
  ports: HandOnPorts,
): Promise<{ readonly waiting: readonly Waiting[]; readonly newer: readonly SQSRecord[] }> => {
  const waiting: Waiting[] = [];
  const newer: SQSRecord[] = [];
  try {
    for (const record of records) {
      const envelope = await heard(record, parseEnvelope, ports);
      if (envelope === 'newer') newer.push(record);
      else if (envelope !== undefined) waiting.push({ record, envelope });
    }
  } catch (error) {
    if (error instanceof ExpectedError) await ports.receipts.delay(records, afterFailureSeconds);
    throw error;
  }
  return { waiting, newer };
};

/** Answers one batch of the bulk queue. @throws StateError when nobody can say whose the messages are */
export const handOn = async (
  event: SQSEvent,
  secondsLeft: () => number,
  ports: HandOnPorts,
): Promise<SQSBatchResponse> => {
  const { waiting, newer } = await sorted(event.Records, ports);
  if (newer.length > 0) await ports.receipts.delay(newer, afterNewerSeconds);
  const left = await Promise.all(
    [...Map.groupBy(waiting, ({ envelope }) => envelope.to)].map(async ([queue, all]) => {
      try {
        const full = await handOnTo(queue, all, secondsLeft, ports);
        if (full.length > 0) await ports.receipts.delay(recordsOf(full), afterFullSeconds);
        return full;
      } catch (error) {
        if (!(error instanceof ExpectedError)) throw error;
        ports.log('warn', 'handing on failed', { queue, from: bulkRow.name, why: sayError(error) });
        // Some may have been accepted: they then come a second time under the same id.
        await ports.receipts.delay(recordsOf(all), afterFailureSeconds);
        return all;
      }
    }),
  );
  return {
    batchItemFailures: [...newer, ...recordsOf(left.flat())].map(({ messageId }) => ({ itemIdentifier: messageId })),
  };
};

const recordsOf = (waiting: readonly Waiting[]): readonly SQSRecord[] => waiting.map(({ record }) => record);
