/** The embedded SQS behind a socket. */

import { CreateQueueCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';
import { startSqs } from '../../../emulators/sqs/server.ts';

const clientOf = (endpoint: string): SQSClient =>
  new SQSClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
  });

it('a client that hangs up during a long poll takes no message with it', async () => {
  const sqs = await startSqs();
  const client = clientOf(sqs.endpoint);
  const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: 'q' }));
  const gone = new AbortController();
  const poll = client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }), { abortSignal: gone.signal });
  const outcome = poll.catch((error: unknown) => error);
  await new Promise((resolve) => setTimeout(resolve, 100));
  gone.abort();
  expect(await outcome).toMatchObject({ name: 'AbortError' });
  await new Promise((resolve) => setTimeout(resolve, 50));
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' }));
  expect(sqs.snapshot()).toMatchObject([{ ready: 1, inFlight: 0 }]);
  await sqs.close();
});

it('both transports reach the same queues, under the address of the server', async () => {
  const sqs = await startSqs();
  const inProcess = new SQSClient({
    endpoint: sqs.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    requestHandler: sqs.requestHandler,
  });
  const { QueueUrl } = await inProcess.send(new CreateQueueCommand({ QueueName: 'q' }));
  expect(QueueUrl).toBe(sqs.queueUrl('q'));
  await clientOf(sqs.endpoint).send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' }));
  const { Messages = [] } = await inProcess.send(new ReceiveMessageCommand({ QueueUrl }));
  expect(Messages.map(({ Body }) => Body)).toEqual(['x']);
  await sqs.close();
});

it('its end does not wait for long polls', async () => {
  const sqs = await startSqs();
  const client = clientOf(sqs.endpoint);
  const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: 'q' }));
  const poll = client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 })).catch(() => 'ended');
  await new Promise((resolve) => setTimeout(resolve, 50));
  const start = performance.now();
  await sqs.close();
  expect(await poll).toBeDefined();
  expect(performance.now() - start).toBeLessThan(10_000);
});

it('a request beyond every limit is refused before it is held in memory', async () => {
  const sqs = await startSqs();
  const body = 'x'.repeat(17 * 1024 * 1024);
  const outcome = await fetch(sqs.endpoint, { method: 'POST', body }).then(
    ({ status }) => status,
    () => 413,
  );
  expect(outcome).toBe(413);
  await sqs.close();
});

it('a taken port is an error', async () => {
  const sqs = await startSqs();
  const port = Number(new URL(sqs.endpoint).port);
  await expect(startSqs({ port })).rejects.toThrow(/EADDRINUSE/);
  await sqs.close();
});
