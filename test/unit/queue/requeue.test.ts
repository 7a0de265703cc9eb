/** Messages that begin anew on SQS: received for the first time again, and still their author's (docs/decisions/0011-outages-of-the-table.md). */
import { ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { SQSRecord } from 'aws-lambda';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { firstSenderAttribute, sentBy } from '../../../lib/queue/senders.ts';
import { sqsReceipts } from '../../../lib/queue/sqs-receipts.ts';
import { recordOf } from '../../emulators/event-source-mapping.ts';
import { ensureQueues } from '../../emulators/queues.ts';
import { embedSqs } from '../../emulators/sqs/embedded.ts';

const [us, relay] = ['AROASWEEPER000000001', 'AROARELAYOFONE000001'];

let sqs: ReturnType<typeof embedSqs>;
let client: SQSClient;
let queueUrl: string;
beforeEach(async () => {
  sqs = embedSqs();
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  client = new SQSClient({ region: 'local', endpoint: sqs.endpoint, credentials, requestHandler: sqs.requestHandler });
  await ensureQueues(client, 'kpackless-');
  queueUrl = sqs.queueUrl('kpackless-image.fifo');
});
afterEach(async () => {
  client.destroy();
  await sqs.close();
});

/** What is received, as if `SenderId` had sent it. */
const receive = async (SenderId: string): Promise<readonly SQSRecord[]> => {
  const { Messages = [] } = await client.send(
    new ReceiveMessageCommand({
      QueueUrl: queueUrl,
      MaxNumberOfMessages: 10,
      MessageSystemAttributeNames: ['All'],
      MessageAttributeNames: ['All'],
    }),
  );
  return Messages.map((message) => recordOf(message, 'arn')).map((record) => ({
    ...record,
    attributes: { ...record.attributes, SenderId },
  }));
};
const send = (said?: string) =>
  client.send(
    new SendMessageCommand({
      QueueUrl: queueUrl,
      MessageBody: 'a pointer',
      MessageGroupId: 'g',
      MessageDeduplicationId: 'd',
      ...(said === undefined
        ? {}
        : { MessageAttributes: { [firstSenderAttribute]: { DataType: 'String', StringValue: said } } }),
    }),
  );
const receipts = () => sqsReceipts(client, { queueUrl, own: [us], log: () => undefined });

describe('a message that is queued anew', () => {
  it('is there once, received for the first time, with its body and group', async () => {
    await send();
    await receipts().requeue(await receive(`${relay}:s`));
    const [record, ...others] = await receive(`${us}:s`);
    expect(others).toStrictEqual([]);
    expect(record).toMatchObject({
      body: 'a pointer',
      attributes: { ApproximateReceiveCount: '1', MessageGroupId: 'g' },
    });
  });

  it.each([
    ['from a relay is that relay’s, however often', undefined, relay, relay],
    ['from a relay that claims to be us is that relay’s', us, relay, relay],
    ['from us is ours', undefined, us, us],
  ])('and comes %s', async (_, said, sender, author) => {
    await send(said);
    await receipts().requeue(await receive(`${sender}:s`));
    await receipts().requeue(await receive(`${us}:s`));
    const [record] = await receive(`${us}:s`);
    expect(record && sentBy(record)).toStrictEqual({ senderId: `${us}:s`, firstSender: `${author}:s` });
  });

  it('is left where it is while SQS takes no messages', async () => {
    await send();
    const records = await receive(`${relay}:s`);
    const none = sqsReceipts(client, { queueUrl: `${queueUrl}-gone`, own: [us], log: () => undefined });
    await none.requeue(records);
    await receipts().delay(records, 0);
    expect(await receive(`${relay}:s`)).toHaveLength(1);
  });
});
