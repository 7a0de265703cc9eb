/** What the emulated DynamoDB adds to dynalite: lagging reads, and clients that hang up. */

import { connect } from 'node:net';
import {
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { expect, it } from 'vitest';
import { type EmbeddedDynamoDb, startDynamoDb } from '../../emulators/dynamodb.ts';

const TableName = 'objects';
const clientOf = ({ client, requestHandler }: EmbeddedDynamoDb): DynamoDBClient =>
  new DynamoDBClient({ ...client, requestHandler });

const createTable = async (dynamo: DynamoDBClient): Promise<void> => {
  await dynamo.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    }),
  );
  const describe = new DescribeTableCommand({ TableName });
  await expect.poll(async () => (await dynamo.send(describe)).Table?.TableStatus).toBe('ACTIVE');
};
const put = async (dynamo: DynamoDBClient, v: string): Promise<void> => {
  await dynamo.send(new PutItemCommand({ TableName, Item: { pk: { S: 'a' }, v: { S: v } } }));
};
const read = async (dynamo: DynamoDBClient, ConsistentRead: boolean): Promise<string | undefined> =>
  (await dynamo.send(new GetItemCommand({ TableName, Key: { pk: { S: 'a' } }, ConsistentRead }))).Item?.['v']?.S;

it('whoever is in the middle of a write when it closes is answered, and whoever comes later is refused', async () => {
  const store = await startDynamoDb();
  const { client, requestHandler } = store;
  const dynamo = new DynamoDBClient({ ...client, requestHandler, maxAttempts: 1 });
  await createTable(dynamo);
  const writes = Array.from({ length: 50 }, (_, index) => put(dynamo, String(index)));
  await new Promise(setImmediate);
  const closed = store.close();
  expect((await Promise.allSettled(writes)).map(({ status }) => status)).toContain('fulfilled');
  await closed;
  await expect(put(dynamo, 'late')).rejects.toThrow('the database is closed');
});

it('a read that does not ask for consistency sees the past for a while when told to, and the present later', async () => {
  const db = await startDynamoDb({ staleReadsMs: 80 });
  const dynamo = clientOf(db);
  await createTable(dynamo);
  await put(dynamo, 'old');
  await expect.poll(async () => read(dynamo, false)).toBe('old');
  await put(dynamo, 'new');
  expect(await read(dynamo, true)).toBe('new');
  expect(await read(dynamo, false)).toBe('old');
  await expect.poll(async () => read(dynamo, false)).toBe('new');
  await db.close();
});

it('without lag every read sees the present', async () => {
  const db = await startDynamoDb();
  const dynamo = clientOf(db);
  await createTable(dynamo);
  await put(dynamo, 'new');
  expect(await read(dynamo, false)).toBe('new');
  await db.close();
});

it('a client that hangs up in the middle of a request does no harm', async () => {
  const db = await startDynamoDb();
  const { port } = new URL(db.endpoint);
  await new Promise<void>((resolve) => {
    const socket = connect(Number(port), '127.0.0.1', () => {
      socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf');
      setTimeout(() => socket.resetAndDestroy(), 20);
    });
    socket.once('close', () => resolve());
  });
  const dynamo = new DynamoDBClient(db.client);
  await createTable(dynamo);
  await put(dynamo, 'alive');
  expect(await read(dynamo, true)).toBe('alive');
  await db.close();
});
