/** Dead letters on SQS, on the emulator that the contract suite holds to be as SQS is. */
import { CreateQueueCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterEach, describe, expect, it } from 'vitest';
import { sqsLetters } from '../../../lib/queue/sqs-letters.ts';
import { type EmbeddedSqs, embedSqs } from '../../emulators/sqs/embedded.ts';

const open: EmbeddedSqs[] = [];
afterEach(async () => {
  for (const sqs of open.splice(0)) await sqs.close();
});

/** Queue `image` and its dead letters, which hold one letter of each of `objects`. */
const begin = async (...objects: readonly string[]) => {
  const sqs = embedSqs();
  open.push(sqs);
  const client = new SQSClient({
    endpoint: sqs.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    requestHandler: sqs.requestHandler,
  });
  const queueUrl = (queue: string): string => sqs.queueUrl(`kpackless-${queue}.fifo`);
  const arn = 'arn:aws:sqs:us-east-1:000000000000:kpackless-image-dlq.fifo';
  await client.send(
    new CreateQueueCommand({ QueueName: 'kpackless-image-dlq.fifo', Attributes: { FifoQueue: 'true' } }),
  );
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: arn, maxReceiveCount: 5 });
  await client.send(
    new CreateQueueCommand({ QueueName: 'kpackless-image.fifo', Attributes: { FifoQueue: 'true', RedrivePolicy } }),
  );
  for (const [index, object] of objects.entries())
    await client.send(
      new SendMessageCommand({
        QueueUrl: queueUrl('image-dlq'),
        MessageBody: `letter ${index}`,
        MessageGroupId: object,
        MessageDeduplicationId: String(index),
      }),
    );
  return { client, letters: sqsLetters({ client, queueUrl, oldestSeconds: async () => 42, waitSeconds: 0 }) };
};

describe('dead letters on SQS', () => {
  it('are looked at and stay where they are, for the next look too', async () => {
    const { letters } = await begin(...Array.from({ length: 25 }, (_, index) => `object-${index}`));
    const seen = async () => (await letters.list('image', 100)).map(({ body }) => body).toSorted();
    const first = await seen();
    expect(first).toHaveLength(25);
    expect(await seen()).toEqual(first);
  });

  it('are not looked at beyond what was asked for', async () => {
    const { letters } = await begin('a', 'b', 'c');
    expect(await letters.list('image', 2)).toHaveLength(2);
  });

  it('are taken away one by one', async () => {
    const { letters } = await begin('a', 'b');
    const [first] = await letters.list('image', 10);
    expect(await letters.drop('image', first?.id ?? '')).toBe(true);
    expect(await letters.drop('image', first?.id ?? '')).toBe(false);
    expect(await letters.list('image', 10)).toHaveLength(1);
  });

  it('are counted beside what waits, whose age CloudWatch tells', async () => {
    const { client, letters } = await begin('a', 'b');
    expect(await letters.depth('image')).toEqual({ waiting: 0, inHand: 0, deadLetters: 2, oldestSeconds: undefined });
    await client.send(
      new SendMessageCommand({
        QueueUrl: 'http://sqs.kpackless.internal/000000000000/kpackless-image.fifo',
        MessageBody: 'x',
        MessageGroupId: 'x',
        MessageDeduplicationId: 'x',
      }),
    );
    expect(await letters.depth('image')).toMatchObject({ waiting: 1, oldestSeconds: 42 });
  });

  it('of a queue that is not there are a failure in one sentence', async () => {
    const { letters } = await begin();
    await expect(letters.list('build', 1)).rejects.toThrow(/looking at the dead letters of build: \w+ \(HTTP 400\)/);
  });
});
