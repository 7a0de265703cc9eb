/** The embedded SQS through the SDK, in process, under a clock that moves when told. */

import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  ListMessageMoveTasksCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
  StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';
import { manualClock } from '../../../emulators/sqs/clock.ts';
import { embedSqs } from '../../../emulators/sqs/embedded.ts';

const aWorld = () => {
  const clock = manualClock();
  const sqs = embedSqs({ clock });
  const client = new SQSClient({
    region: 'us-east-1',
    endpoint: sqs.endpoint,
    credentials: { accessKeyId: 'RELAY1', secretAccessKey: 'x' },
    requestHandler: sqs.requestHandler,
    maxAttempts: 1,
  });
  const create = async (QueueName: string, Attributes: Record<string, string> = {}): Promise<string> =>
    (await client.send(new CreateQueueCommand({ QueueName, Attributes }))).QueueUrl ?? '';
  const arnOf = async (QueueUrl: string): Promise<string> => {
    const ask = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] });
    return (await client.send(ask)).Attributes?.['QueueArn'] ?? '';
  };
  const send = async (QueueUrl: string, MessageBody: string): Promise<void> => {
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody }));
  };
  return { clock, sqs, client, create, arnOf, send };
};

it('a message names the access key that signed it', async () => {
  const { client, create, send } = aWorld();
  const QueueUrl = await create('q');
  await send(QueueUrl, 'x');
  const receive = new ReceiveMessageCommand({ QueueUrl, MessageSystemAttributeNames: ['SenderId'] });
  expect((await client.send(receive)).Messages?.[0]?.Attributes).toEqual({ SenderId: 'RELAY1' });
});

it('a long poll given up by its caller takes no message', async () => {
  const { client, create, send, sqs } = aWorld();
  const QueueUrl = await create('q');
  const gone = new AbortController();
  const poll = client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }), { abortSignal: gone.signal });
  const outcome = poll.catch((error: unknown) => error);
  await new Promise((resolve) => setTimeout(resolve, 10));
  gone.abort();
  expect(await outcome).toMatchObject({ name: 'AbortError' });
  await send(QueueUrl, 'x');
  expect(sqs.snapshot()).toMatchObject([{ name: 'q', ready: 1, inFlight: 0 }]);
});

it('a move task keeps to its rate', async () => {
  const { clock, client, create, arnOf, send, sqs } = aWorld();
  const dead = await create('dead');
  const SourceArn = await arnOf(dead);
  const source = await create('source', {
    VisibilityTimeout: '0',
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: SourceArn, maxReceiveCount: 1 }),
  });
  for (let i = 0; i < 10; i += 1) await send(source, String(i));
  const receive = new ReceiveMessageCommand({ QueueUrl: source, MaxNumberOfMessages: 10 });
  await client.send(receive);
  await client.send(receive);
  const readyIn = (name: string) => sqs.snapshot().find((queue) => queue.name === name)?.ready;
  expect([readyIn('dead'), readyIn('source')]).toEqual([10, 0]);
  await client.send(new StartMessageMoveTaskCommand({ SourceArn, MaxNumberOfMessagesPerSecond: 2 }));
  expect(readyIn('source')).toBe(1);
  clock.advance(2000);
  expect(readyIn('source')).toBe(5);
  clock.advance(10_000);
  expect([readyIn('dead'), readyIn('source')]).toEqual([0, 10]);
});

it('a message nobody dead-lettered cannot be moved back: the task fails and says so, the message stays', async () => {
  const { client, create, arnOf, send, sqs } = aWorld();
  const dead = await create('dead');
  const SourceArn = await arnOf(dead);
  await create('source', { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: SourceArn, maxReceiveCount: 1 }) });
  await send(dead, 'sent straight to the dead-letter queue');
  await client.send(new StartMessageMoveTaskCommand({ SourceArn }));
  const { Results = [] } = await client.send(new ListMessageMoveTasksCommand({ SourceArn }));
  expect(Results).toMatchObject([{ Status: 'FAILED', FailureReason: 'CouldNotDetermineMessageSource' }]);
  expect(sqs.snapshot().find(({ name }) => name === 'dead')?.ready).toBe(1);
});

it('a deleted name is free again after a minute', async () => {
  const { clock, client, create } = aWorld();
  await client.send(new DeleteQueueCommand({ QueueUrl: await create('q') }));
  await expect(create('q')).rejects.toThrow(expect.objectContaining({ name: 'QueueDeletedRecently' }));
  clock.advance(60_000);
  expect(await create('q')).toMatch(/\/q$/);
});

it('what is not SQS is refused in the words of the protocol', async () => {
  const { sqs } = aWorld();
  const ask = async (target: string, body: string) => sqs.dispatch({ headers: { 'x-amz-target': target }, body });
  expect(await ask('AmazonSQS.Nonsense', '{}')).toMatchObject({
    status: 400,
    headers: { 'x-amzn-query-error': 'InvalidAction;Sender' },
  });
  expect((await ask('AmazonSQS.SendMessage', '{')).body).toContain('SerializationException');
  expect((await ask('AmazonSQS.SendMessage', '{"QueueUrl":7}')).body).toContain('QueueUrl must be a string');
});

it('after its end it answers that it is not available', async () => {
  const { sqs, create } = aWorld();
  await sqs.close();
  await expect(create('q')).rejects.toThrow(/closed/);
});
