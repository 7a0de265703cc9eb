/** The table of lib/state/keys.ts, as serverless.yml declares it for AWS. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeTableCommand,
  type DynamoDBClient,
  ResourceNotFoundException,
} from '@aws-sdk/client-dynamodb';

/** Everything about the table but its name. */
export const tableShape = {
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [
    { AttributeName: 'pk', AttributeType: 'S' },
    { AttributeName: 'sk', AttributeType: 'S' },
    { AttributeName: 'dueShard', AttributeType: 'N' },
    { AttributeName: 'dueAt', AttributeType: 'N' },
  ],
  KeySchema: [
    { AttributeName: 'pk', KeyType: 'HASH' },
    { AttributeName: 'sk', KeyType: 'RANGE' },
  ],
  GlobalSecondaryIndexes: [
    {
      IndexName: 'due',
      KeySchema: [
        { AttributeName: 'dueShard', KeyType: 'HASH' },
        { AttributeName: 'dueAt', KeyType: 'RANGE' },
      ],
      Projection: { ProjectionType: 'KEYS_ONLY' },
    },
  ],
} satisfies Omit<CreateTableCommandInput, 'TableName'>;

const readyMilliseconds = 60_000;

/** Undefined when there is no such table. */
const statusOf = async (client: DynamoDBClient, name: string): Promise<string | undefined> => {
  try {
    return (await client.send(new DescribeTableCommand({ TableName: name }))).Table?.TableStatus;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
};

const untilActive = async (client: DynamoDBClient, name: string): Promise<void> => {
  const until = Date.now() + readyMilliseconds;
  let wait = 2;
  while ((await statusOf(client, name)) !== 'ACTIVE') {
    if (Date.now() > until) throw new Error(`table ${name} is not active after ${readyMilliseconds / 1000} s`);
    await sleep(wait);
    wait = Math.min(500, wait * 2);
  }
};

/** Makes the table and its index `due`, unless it exists, and waits until it can be used. */
export const ensureTable = async (client: DynamoDBClient, name: string): Promise<void> => {
  if ((await statusOf(client, name)) !== undefined) return untilActive(client, name);
  await client.send(new CreateTableCommand({ TableName: name, ...tableShape }));
  return untilActive(client, name);
};
