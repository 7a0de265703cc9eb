/**
 * One SQS batch: grouped by key, one pass a key, failures reported message by message (DESIGN §3.3). A failing key's messages
 * all fail, so order in its group is kept; other keys are not touched.
 */
import { ChangeMessageVisibilityBatchCommand, DeleteMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { recordKey, type TargetKey } from '../state/keys.ts';
import { type Message, parseMessage, targetOf } from './message.ts';

/** What a batch needs: a pass, the queue's own calls, a place for words. */
export interface BatchPorts {
  /** Reconciles one key. Throws only what is a bug. */
  runPass(target: TargetKey, messages: readonly Message[], budgetSeconds: number): Promise<string>;
  readonly receipts: Receipts;
  log(level: 'info' | 'warn' | 'error', what: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** What a handler may do with messages it holds. Both calls are best effort: not doing them costs time, never work. */
export interface Receipts {
  /** Makes messages visible again after `seconds`. */
  delay(records: readonly SQSRecord[], seconds: number): Promise<void>;
  delete(records: readonly SQSRecord[]): Promise<void>;
}

interface Work {
  readonly target: TargetKey;
  readonly messages: Message[];
  readonly records: SQSRecord[];
}

const concurrentPasses = 5;
/** What is left for reporting when a pass has used its budget. */
const reserveSeconds = 5;

const receiveCount = (record: SQSRecord): number => Number(record.attributes.ApproximateReceiveCount) || 1;

/** Groups the readable messages by key, in order of first appearance; unreadable ones are acknowledged with the reason. */
const groupByKey = (records: readonly SQSRecord[], ports: BatchPorts): readonly Work[] => {
  const works = new Map<string, Work>();
  for (const record of records) {
    const parsed = parseMessage(record.body);
    if ('unreadable' in parsed) {
      ports.log('error', 'message is unreadable and was dropped', {
        messageId: record.messageId,
        why: parsed.unreadable,
      });
      continue;
    }
    const target = targetOf(parsed.message);
    const key = recordKey(target);
    const work = works.get(key) ?? { target, messages: [], records: [] };
    work.messages.push(parsed.message);
    work.records.push(record);
    works.set(key, work);
  }
  return [...works.values()];
};

const isSuspect = (work: Work): boolean => work.records.some((record) => receiveCount(record) > 1);

/** Runs `each` over `works`, at most `limit` at once. */
const inParallel = async (
  works: readonly Work[],
  limit: number,
  each: (work: Work) => Promise<void>,
): Promise<void> => {
  const waiting = [...works];
  const lane = async (): Promise<void> => {
    for (let work = waiting.shift(); work !== undefined; work = waiting.shift()) await each(work);
  };
  await Promise.all(Array.from({ length: Math.min(limit, works.length) }, lane));
};

/** Answers one batch. `timeoutSeconds` is what the function has left. */
export const runBatch = async (
  event: SQSEvent,
  timeoutSeconds: number,
  ports: BatchPorts,
): Promise<SQSBatchResponse> => {
  const works = groupByKey(event.Records, ports);
  const suspected = works.some(isSuspect);
  const failed: SQSRecord[] = [];

  const run = async (work: Work): Promise<void> => {
    const budget = Math.max(1, Math.floor(timeoutSeconds - reserveSeconds));
    const started = performance.now();
    try {
      const result = await ports.runPass(work.target, work.messages, budget);
      ports.log('info', 'pass finished', {
        ...work.target,
        result,
        messages: work.messages.length,
        ms: Math.round(performance.now() - started),
      });
      // A suspect that kills the function must not take finished keys with it.
      if (suspected) await ports.receipts.delete(work.records);
    } catch (error) {
      failed.push(...work.records);
      const received = Math.max(...work.records.map(receiveCount));
      const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
      ports.log('error', 'pass threw', { ...work.target, received, why });
      await ports.receipts.delay(work.records, Math.min(900, 5 * 2 ** (received - 1)));
    }
  };

  await inParallel(
    works.filter((work) => !isSuspect(work)),
    concurrentPasses,
    run,
  );
  await inParallel(works.filter(isSuspect), 1, run);
  return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
};

/** Receipts on SQS itself. */
export const sqsReceipts = (client: SQSClient, queueUrl: string, log: BatchPorts['log']): Receipts => {
  const bestEffort = async (what: string, call: (abortSignal: AbortSignal) => Promise<unknown>): Promise<void> => {
    try {
      await call(AbortSignal.timeout(5000));
    } catch (error) {
      log('warn', `${what} failed`, { queueUrl, why: error instanceof Error ? error.message : String(error) });
    }
  };
  const entries = (records: readonly SQSRecord[]): { Id: string; ReceiptHandle: string }[] =>
    records.slice(0, 10).map((record, index) => ({ Id: String(index), ReceiptHandle: record.receiptHandle }));
  return {
    delay: (records, VisibilityTimeout) =>
      bestEffort('delaying messages', (abortSignal) =>
        client.send(
          new ChangeMessageVisibilityBatchCommand({
            QueueUrl: queueUrl,
            Entries: entries(records).map((entry) => ({ ...entry, VisibilityTimeout })),
          }),
          { abortSignal },
        ),
      ),
    delete: (records) =>
      bestEffort('deleting finished messages', (abortSignal) =>
        client.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries(records) }), { abortSignal }),
      ),
  };
};
