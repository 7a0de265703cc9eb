/**
 * One SQS batch: grouped by key, one pass a key, failures reported message by message (DESIGN §3.3). A failing key's messages
 * all fail, so order in its group is kept; other keys are not touched.
 */
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { ExpectedError } from '../errors/expected.ts';
import { type Metrics, noMetrics } from '../metrics/metrics.ts';
import { recordKey, type TargetKey } from '../state/keys.ts';
import { printable } from '../text/printable.ts';
import { tenantOf, tenantsInTurn } from './bulk.ts';
import { type ComesAgain, mayComeAgain, wordFor } from './comes-again.ts';
import { type Message, type Newer, parseMessage, targetOf, type Unreadable } from './message.ts';
import { type MayWake, sentBy } from './senders.ts';

/** What a batch needs: a pass, the queue's own calls, a place for words. */
export interface BatchPorts {
  /** Reconciles one key. Throws what is a bug, and ExpectedError when the table is out of reach: nothing can be remembered then. */
  runPass(target: TargetKey, messages: readonly Message[], budgetSeconds: number): Promise<string | ComesAgain>;
  readonly receipts: Receipts;
  readonly mayWake: MayWake;
  readonly log: (level: 'info' | 'warn' | 'error', what: string, fields?: Readonly<Record<string, unknown>>) => void;
  readonly metrics?: Metrics;
}

/** What a handler may do with messages it holds. All calls are best effort: not doing them costs time, never work. */
export interface Receipts {
  /** Makes messages visible again after `seconds`, which may have a fraction. */
  delay(records: readonly SQSRecord[], seconds: number): Promise<void>;
  delete(records: readonly SQSRecord[]): Promise<void>;
  /** Lets messages begin anew, at the end of their queue: how often they were received is forgotten. */
  requeue(records: readonly SQSRecord[]): Promise<void>;
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

/** Since the oldest of them was sent, in seconds; by two clocks, so never below nothing. */
const ageSeconds = (records: readonly SQSRecord[]): number =>
  Math.max(0, Date.now() - Math.min(...records.map(({ attributes }) => Number(attributes.SentTimestamp)))) / 1000;

/** Seconds until a bug's messages are tried again after their n-th receive; the fifth is the last (DESIGN §3.3). */
const afterBug = (received: number): number => Math.min(900, 5 * 2 ** (received - 1));
/**
 * As afterBug, when nothing could be recorded: nobody is to blame, and it may last. So whoever waits looks again soon, and begins anew before his
 * receives are used up (docs/decisions/0011-outages-of-the-table.md): undefined then.
 */
const afterOutage = (received: number): number | undefined => [5, 10, 15][received - 1];
/** Seconds until a message of a later version is tried again: a deployment puts functions in place one after another. */
const afterNewer = (received: number): number => Math.min(900, 30 * 2 ** (received - 1));

/** What is needed to tell whether a message counts. */
export type HearingPorts = Pick<BatchPorts, 'log' | 'mayWake' | 'metrics'>;

/**
 * What a record says, read by `parse`; undefined when it is unreadable or from nobody who may speak for its cluster: retrying cannot help, so it is
 * acknowledged; `newer` when it is of a version that only a later deployment can read. @throws StateError when nobody can say whose it is
 */
export const heard = async <T extends { readonly message: Message }>(
  record: SQSRecord,
  parse: (body: string) => T | Newer | Unreadable,
  { mayWake, log, metrics = noMetrics }: HearingPorts,
): Promise<T | 'newer' | undefined> => {
  const drop = (
    what: string,
    metric: 'ForeignMessages' | 'UnreadableMessages',
    why: Readonly<Record<string, unknown>>,
  ): undefined => {
    log('error', what, { messageId: record.messageId, ...why });
    metrics.add(metric, {});
  };
  const parsed = parse(record.body);
  if ('newer' in parsed) {
    const { messageId } = record;
    log('warn', 'message is of a later version and waits for a function that knows it', { messageId, v: parsed.newer });
    return 'newer';
  }
  if ('unreadable' in parsed)
    return drop('message is unreadable and was dropped', 'UnreadableMessages', { why: parsed.unreadable });
  const { cluster } = parsed.message;
  const by = sentBy(record);
  if (await mayWake(cluster, by)) return parsed;
  return drop('message is from a sender that does not speak for its cluster and was dropped', 'ForeignMessages', {
    cluster,
    sender: printable(by.senderId, 128),
  });
};

/** Lets messages wait for the end of an outage. */
const putOff = (records: readonly SQSRecord[], receipts: Receipts): Promise<void> => {
  const seconds = afterOutage(Math.max(...records.map(receiveCount)));
  return seconds === undefined ? receipts.requeue(records) : receipts.delay(records, seconds);
};

/**
 * Milliseconds after which a pass that could not be recorded shows that the table does not even refuse: each further one would wait as long, and
 * the function would be ended before it has put anybody off.
 */
const hangsAfter = 3000;

/** What a batch holds. */
interface Sorted {
  readonly works: readonly Work[];
  /** Those that wait for a later deployment. */
  readonly newer: readonly SQSRecord[];
}

/**
 * Groups the messages that count by key, tenants in turn and each in order of first appearance: who comes with many has one lane's turn at a time.
 * @throws StateError when nobody can say whose they are
 */
const groupByKey = async (records: readonly SQSRecord[], ports: BatchPorts): Promise<Sorted> => {
  const works = new Map<string, Work>();
  const newer: SQSRecord[] = [];
  for (const record of records) {
    const said = await heard(record, parseMessage, ports);
    if (said === 'newer') newer.push(record);
    if (said === undefined || said === 'newer') continue;
    const { message } = said;
    const target = targetOf(message);
    const key = recordKey(target);
    const work = works.get(key) ?? { target, messages: [], records: [] };
    work.messages.push(message);
    work.records.push(record);
    works.set(key, work);
  }
  return { works: tenantsInTurn([...works.values()], ({ target }) => tenantOf(target)), newer };
};

/** As groupByKey; while nobody can say whose the messages are, they wait. @throws StateError then */
const sorted = async (records: readonly SQSRecord[], ports: BatchPorts): Promise<Sorted> => {
  try {
    return await groupByKey(records, ports);
  } catch (error) {
    if (error instanceof ExpectedError) await putOff(records, ports.receipts);
    throw error;
  }
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
  const { metrics = noMetrics } = ports;
  const { works, newer } = await sorted(event.Records, ports);
  const suspected = works.some(isSuspect);
  const failed: SQSRecord[] = [...newer];
  for (const record of newer) await ports.receipts.delay([record], afterNewer(receiveCount(record)));
  const outages: ExpectedError[] = [];
  let hangs: ExpectedError | undefined;

  const run = async (work: Work, turns: number): Promise<void> => {
    if (hangs !== undefined) {
      failed.push(...work.records);
      outages.push(hangs);
      await putOff(work.records, ports.receipts);
      return;
    }
    const budget = Math.max(1, Math.floor((secondsLeft() - reserveSeconds) / turns));
    const started = performance.now();
    const received = Math.max(...work.records.map(receiveCount));
    const { kind } = work.target;
    metrics.add('MessageAgeSeconds', { kind }, ageSeconds(work.records));
    try {
      const answer = await within(budget * 1000 + graceMilliseconds, ports.runPass(work.target, work.messages, budget));
      const milliseconds = performance.now() - started;
      const outcome = wordFor(answer);
      ports.log('info', 'pass finished', {
        ...work.target,
        result: outcome,
        messages: work.messages.length,
        ms: Math.round(milliseconds),
      });
      metrics.add('Passes', { kind, outcome });
      metrics.add('PassSeconds', { kind }, milliseconds / 1000);
      if (typeof answer !== 'string' && mayComeAgain(received)) {
        failed.push(...work.records);
        await ports.receipts.delay(work.records, answer.comesAgainSeconds);
        return;
      }
      // A suspect that kills the function must not take finished keys with it.
      if (suspected) await ports.receipts.delete(work.records);
    } catch (error) {
      failed.push(...work.records);
      metrics.add('PassFailures', { kind });
      if (error instanceof ExpectedError) {
        outages.push(error);
        if (performance.now() - started > hangsAfter) hangs = error;
        ports.log('warn', 'pass could not be recorded', { ...work.target, received, why: error.message });
        await putOff(work.records, ports.receipts);
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
  if (outages.length === works.length && newer.length === 0 && outages[0] !== undefined) throw outages[0];
  return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
};
