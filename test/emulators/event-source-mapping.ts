/**
 * What Lambda does between a FIFO queue and a function: polls, invokes with a real event, deletes what succeeded, leaves what
 * failed to its visibility time-out, backs off when a whole invocation fails (spec 06 §2).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { DeleteMessageBatchCommand, type Message, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';

/** A function as the mapping calls it. */
export type Invoke = (
  event: SQSEvent,
  context: Pick<Context, 'getRemainingTimeInMillis'>,
) => Promise<SQSBatchResponse | undefined>;

/** One mapping. */
export interface MappingOptions {
  readonly sqs: SQSClient;
  readonly queueUrl: string;
  readonly queueArn: string;
  readonly timeoutSeconds: number;
  /** Invocations at once, as many as there are pollers. */
  readonly pollers: number;
  readonly invoke: Invoke;
  /** How pollers wait after a failure; in real time without. */
  pause?(milliseconds: number): Promise<void>;
  warn(what: string, why: unknown): void;
}

/** A running mapping. */
export interface Mapping {
  /** Lets running invocations end, then stops. */
  readonly stopped: Promise<void>;
}

const batchSize = 10;
const waitSeconds = 20;

/** A message as Lambda's event shows it. */
export const recordOf = (message: Message, queueArn: string): SQSRecord => ({
  messageId: message.MessageId ?? '',
  receiptHandle: message.ReceiptHandle ?? '',
  body: message.Body ?? '',
  md5OfBody: message.MD5OfBody ?? '',
  messageAttributes: Object.fromEntries(
    Object.entries(message.MessageAttributes ?? {}).map(([name, { DataType = '', StringValue }]) => [
      name,
      { dataType: DataType, ...(StringValue === undefined ? {} : { stringValue: StringValue }) },
    ]),
  ),
  attributes: {
    ApproximateFirstReceiveTimestamp: '',
    ApproximateReceiveCount: '1',
    SenderId: '',
    SentTimestamp: '',
    ...message.Attributes,
  },
  eventSource: 'aws:sqs',
  eventSourceARN: queueArn,
  awsRegion: queueArn.split(':')[3] ?? '',
});

/** The messages that are done with. An answer that names an unknown message counts as failure of all, as on AWS. */
export const succeeded = (
  records: readonly SQSRecord[],
  response: SQSBatchResponse | undefined,
): readonly SQSRecord[] => {
  const failures = response?.batchItemFailures ?? [];
  const failed = new Set(failures.map(({ itemIdentifier }) => itemIdentifier));
  const known = new Set(records.map(({ messageId }) => messageId));
  if ([...failed].some((id) => !known.has(id))) return [];
  return records.filter(({ messageId }) => !failed.has(messageId));
};

/** Ends early, without a word, when `signal` aborts. */
const pause = async (milliseconds: number, signal: AbortSignal): Promise<void> => {
  await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
};

/**
 * Fails when the function outlives its time-out. Lambda would end its process; here it goes on beside the next invocation, as
 * every pass may (DESIGN §3.5): a batch gives up on a pass before it comes to this.
 */
const withTimeout = async <T>(work: Promise<T>, seconds: number): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the function did not answer within ${seconds} s`)), seconds * 1000);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
};

/** Starts polling; ends after `signal` aborts, when running invocations have ended. */
export const startMapping = (options: MappingOptions, signal: AbortSignal): Mapping => {
  const { sqs, queueUrl, queueArn, timeoutSeconds, invoke } = options;

  const once = async (): Promise<void> => {
    const { Messages: messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: batchSize,
        WaitTimeSeconds: waitSeconds,
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
      }),
      { abortSignal: signal },
    );
    if (messages.length === 0) return;
    const records = messages.map((message) => recordOf(message, queueArn));
    const endsAt = Date.now() + timeoutSeconds * 1000;
    const response = await withTimeout(
      invoke({ Records: records }, { getRemainingTimeInMillis: () => Math.max(0, endsAt - Date.now()) }),
      timeoutSeconds,
    );
    const done = succeeded(records, response);
    if (done.length === 0) return;
    await sqs.send(
      new DeleteMessageBatchCommand({
        QueueUrl: queueUrl,
        Entries: done.map(({ receiptHandle }, index) => ({ Id: String(index), ReceiptHandle: receiptHandle })),
      }),
    );
  };

  const poll = async (): Promise<void> => {
    let failures = 0;
    while (!signal.aborted) {
      try {
        await once();
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        options.warn(`invoking the function of ${queueUrl}`, error);
        const wait = Math.min(30_000, 500 * 2 ** failures);
        await (options.pause?.(wait) ?? pause(wait, signal));
      }
    }
  };

  return { stopped: Promise.all(Array.from({ length: options.pollers }, poll)).then(() => undefined) };
};
