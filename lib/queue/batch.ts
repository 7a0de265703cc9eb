/**
 * One SQS batch: grouped by key, one pass a key, failures reported message by message (DESIGN §3.3). A failing key's messages
 * all fail, so order in its group is kept; other keys are not touched.
 */
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { ExpectedError } from '../errors/expected.ts';
import { recordKey, type TargetKey } from '../state/keys.ts';
import { printable } from '../text/printable.ts';
import { type ComesAgain, mayComeAgain, wordFor } from './comes-again.ts';
import { countOne } from './count.ts';
import { type Message, parseMessage, targetOf } from './message.ts';
import type { MayWake } from './senders.ts';

/** What a batch needs: a pass, the queue's own calls, a place for words. */
export interface BatchPorts {
  /** Reconciles one key. Throws what is a bug, and ExpectedError when the table is out of reach: nothing can be remembered then. */
  runPass(target: TargetKey, messages: readonly Message[], budgetSeconds: number): Promise<string | ComesAgain>;
  readonly receipts: Receipts;
  readonly mayWake: MayWake;
  readonly log: (level: 'info' | 'warn' | 'error', what: string, fields?: Readonly<Record<string, unknown>>) => void;
}

/** What a handler may do with messages it holds. Both calls are best effort: not doing them costs time, never work. */
export interface Receipts {
  /** Makes messages visible again after `seconds`, which may have a fraction. */
  delay(records: readonly SQSRecord[], seconds: number): Promise<void>;
  delete(records: readonly SQSRecord[]): Promise<void>;
}

interface Work {
  readonly target: TargetKey;
  readonly messages: Message[];
  readonly records: SQSRecord[];
}

const concurrentPasses = 5;
/** What is left for reporting when every pass has used its budget. */
const reserveSeconds = 5;
/** What a pass may take to wind up after its budget; one that does not stop then fails, without its neighbours. */
const graceMilliseconds = 2000;

const receiveCount = (record: SQSRecord): number => Number(record.attributes.ApproximateReceiveCount) || 1;

/** Seconds until a bug's messages are tried again after their n-th receive; the fifth is the last (DESIGN §3.3). */
const afterBug = (received: number): number => Math.min(900, 5 * 2 ** (received - 1));
/**
 * As afterBug, when nothing could be recorded: an outage may last. Four waits cover a quarter of an hour; behind the fifth receive nobody
 * is waited for any more, and the dead letters come back when it is over (lib/sweeper/redrive.ts).
 */
const afterOutage = (received: number): number => [5, 30, 180, 900][received - 1] ?? 5;

/** The message of a record; undefined when it is unreadable or nobody's who may speak for its cluster: retrying cannot help, so it is acknowledged. */
const heard = async (record: SQSRecord, { mayWake, log }: BatchPorts): Promise<Message | undefined> => {
  const parsed = parseMessage(record.body);
  const drop = (what: string, metric: string, why: Readonly<Record<string, unknown>>): undefined => {
    log('error', what, { messageId: record.messageId, ...why, ...countOne(metric, new Date()) });
  };
  if ('unreadable' in parsed)
    return drop('message is unreadable and was dropped', 'UnreadableMessages', { why: parsed.unreadable });
  const { cluster } = parsed.message;
  const sender = record.attributes.SenderId;
  if (await mayWake(cluster, sender)) return parsed.message;
  return drop('message is from a sender that does not speak for its cluster and was dropped', 'ForeignMessages', {
    cluster,
    sender: printable(sender, 128),
  });
};

/** Groups the messages that count by key, in order of first appearance. @throws StateError when nobody can say whose they are */
const groupByKey = async (records: readonly SQSRecord[], ports: BatchPorts): Promise<readonly Work[]> => {
  const works = new Map<string, Work>();
  for (const record of records) {
    const message = await heard(record, ports);
    if (message === undefined) continue;
    const target = targetOf(message);
    const key = recordKey(target);
    const work = works.get(key) ?? { target, messages: [], records: [] };
    work.messages.push(message);
    work.records.push(record);
    works.set(key, work);
  }
  return [...works.values()];
};

const isSuspect = (work: Work): boolean => work.records.some((record) => receiveCount(record) > 1);

/** Runs `each` over `works`, at most `limit` at once; tells it how many turns, its own included, are still to be taken in its lane. */
const inParallel = async (
  works: readonly Work[],
  limit: number,
  each: (work: Work, turns: number) => Promise<void>,
): Promise<void> => {
  const waiting = [...works];
  const lane = async (): Promise<void> => {
    for (let work = waiting.shift(); work !== undefined; work = waiting.shift())
      await each(work, Math.ceil((waiting.length + 1) / limit));
  };
  await Promise.all(Array.from({ length: Math.min(limit, works.length) }, lane));
};

/** Fails when `work` goes on after `milliseconds`, whatever it was asked: it is left behind, as a pass may run twice. */
const within = async <T>(milliseconds: number, work: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the pass did not end when its budget was spent')), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
};

/**
 * Answers one batch. `secondsLeft` says what the function still has; it is shared out so that every key gets its turn.
 * @throws ExpectedError when no pass at all could be recorded, or nobody can say whose the messages are
 */
export const runBatch = async (
  event: SQSEvent,
  secondsLeft: () => number,
  ports: BatchPorts,
): Promise<SQSBatchResponse> => {
  const works = await groupByKey(event.Records, ports);
  const suspected = works.some(isSuspect);
  const failed: SQSRecord[] = [];
  const outages: ExpectedError[] = [];

  const run = async (work: Work, turns: number): Promise<void> => {
    const budget = Math.max(1, Math.floor((secondsLeft() - reserveSeconds) / turns));
    const started = performance.now();
    const received = Math.max(...work.records.map(receiveCount));
    try {
      const answer = await within(budget * 1000 + graceMilliseconds, ports.runPass(work.target, work.messages, budget));
      ports.log('info', 'pass finished', {
        ...work.target,
        result: wordFor(answer),
        messages: work.messages.length,
        ms: Math.round(performance.now() - started),
      });
      if (typeof answer !== 'string' && mayComeAgain(received)) {
        failed.push(...work.records);
        await ports.receipts.delay(work.records, answer.comesAgainSeconds);
        return;
      }
      // A suspect that kills the function must not take finished keys with it.
      if (suspected) await ports.receipts.delete(work.records);
    } catch (error) {
      failed.push(...work.records);
      if (error instanceof ExpectedError) {
        outages.push(error);
        ports.log('warn', 'pass could not be recorded', { ...work.target, received, why: error.message });
        await ports.receipts.delay(work.records, afterOutage(received));
        return;
      }
      const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
      ports.log('error', 'pass threw', { ...work.target, received, why });
      await ports.receipts.delay(work.records, afterBug(received));
    }
  };

  const suspects = works.filter(isSuspect);
  await inParallel(
    works.filter((work) => !isSuspect(work)),
    concurrentPasses,
    (work, turns) => run(work, turns + suspects.length),
  );
  await inParallel(suspects, 1, run);
  // Said to Lambda as a failure of the function: it then polls less, and messages that wait keep their receives.
  if (outages.length === works.length && outages[0] !== undefined) throw outages[0];
  return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
};
