/** The mapping does with a function's answer what Lambda does (spec 06 §2). */
import { CreateQueueCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { SQSEvent } from 'aws-lambda';
import { afterEach, describe, expect, it } from 'vitest';
import { type Invoke, startMapping, succeeded } from '../../emulators/event-source-mapping.ts';
import { type EmbeddedSqs, embedSqs } from '../../emulators/sqs/embedded.ts';

let sqs: EmbeddedSqs | undefined;
let stop = new AbortController();
let stopped: Promise<void> | undefined;
afterEach(async () => {
  stop.abort();
  await stopped;
  await sqs?.close();
});

const mapped = async (invoke: Invoke, { timeoutSeconds = 5, pollers = 1 } = {}) => {
  const embedded = embedSqs();
  sqs = embedded;
  stop = new AbortController();
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  const { endpoint, requestHandler } = embedded;
  const client = new SQSClient({ region: 'local', endpoint, credentials, requestHandler });
  const { QueueUrl: queueUrl = '' } = await client.send(
    new CreateQueueCommand({ QueueName: 'q.fifo', Attributes: { FifoQueue: 'true', VisibilityTimeout: '1' } }),
  );
  const send = async (...bodies: readonly string[]): Promise<void> => {
    for (const body of bodies)
      await client.send(
        new SendMessageCommand({
          QueueUrl: queueUrl,
          MessageBody: body,
          MessageGroupId: body.slice(0, 1),
          MessageDeduplicationId: body,
        }),
      );
  };
  const warned: string[] = [];
  const start = (): void => {
    const warn = (_what: string, why: unknown): void =>
      void warned.push(why instanceof Error ? why.message : String(why));
    ({ stopped } = startMapping(
      { sqs: client, queueUrl, queueArn: 'arn:aws:sqs:local:0:q.fifo', timeoutSeconds, pollers, invoke, warn },
      stop.signal,
    ));
  };
  const held = (): number => embedded.snapshot().reduce((sum, { ready, inFlight }) => sum + ready + inFlight, 0);
  return { send, start, held, warned };
};
const bodies = ({ Records }: SQSEvent): string => Records.map(({ body }) => body).join();

describe('a mapping', () => {
  it('deletes what succeeded; what failed comes again, in order', async () => {
    const seen: string[] = [];
    const { send, start, held } = await mapped(async (event) => {
      seen.push(bodies(event));
      const failed = seen.length === 1 ? event.Records.filter(({ body }) => body.startsWith('a')) : [];
      return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
    });
    await send('a1', 'a2', 'b1');
    start();
    await expect.poll(held, { timeout: 5000 }).toBe(0);
    expect(seen).toStrictEqual(['a1,a2,b1', 'a1,a2']);
  });

  it('a function that throws loses nothing', async () => {
    let calls = 0;
    const { send, start, held, warned } = await mapped(async () => {
      calls += 1;
      if (calls === 1) throw new Error('out of memory');
      return { batchItemFailures: [] };
    });
    await send('a1');
    start();
    await expect.poll(held, { timeout: 8000 }).toBe(0);
    expect([calls, warned]).toStrictEqual([2, ['out of memory']]);
  });

  it('a function that never answers is given up after its time-out', async () => {
    let calls = 0;
    const { send, start, held } = await mapped(
      () => {
        calls += 1;
        return calls === 1 ? new Promise<never>(() => undefined) : Promise.resolve(undefined);
      },
      { timeoutSeconds: 0.2 },
    );
    await send('a1');
    start();
    await expect.poll(held, { timeout: 8000 }).toBe(0);
    expect(calls).toBe(2);
  });

  it('stops at once in a long poll, and while it waits after failures', async () => {
    const { send, start, warned } = await mapped(() => Promise.reject(new Error('no')), { pollers: 4 });
    await send('a1');
    start();
    // By now it waits for two seconds.
    await expect.poll(() => warned.length, { timeout: 10_000 }).toBe(2);
    const before = performance.now();
    stop.abort();
    await stopped;
    expect(performance.now() - before).toBeLessThan(1800);
  });

  it('lets a running invocation end', async () => {
    let end = (): void => undefined;
    const going = new Promise<void>((resolve) => {
      end = resolve;
    });
    let calls = 0;
    const { send, start, held } = await mapped(async () => {
      calls += 1;
      await going;
      return undefined;
    });
    await send('a1');
    start();
    await expect.poll(() => calls).toBe(1);
    stop.abort();
    end();
    await stopped;
    expect(held()).toBe(0);
  });
});

it('an answer that names an unknown message counts as failure of all', () => {
  const record = { messageId: 'known' } as SQSEvent['Records'][number];
  expect(succeeded([record], { batchItemFailures: [{ itemIdentifier: 'unknown' }] })).toStrictEqual([]);
  expect(succeeded([record], undefined)).toStrictEqual([record]);
});
