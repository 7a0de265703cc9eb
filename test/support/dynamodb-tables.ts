/** Empty tables on an emulated DynamoDB of their own, in memory: for what must be seen on that adapter. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDbTable } from '../../lib/state/dynamodb-table.ts';
import { startDynamoDb } from '../emulators/dynamodb.ts';
import { ensureTable } from '../emulators/table.ts';

export interface DynamoDbTables extends AsyncDisposable {
  /** A new table with nothing in it. */
  empty(): Promise<DynamoDbTable>;
}

/** Starts a store; stop it with its async dispose. */
export const dynamoDbTables = async (): Promise<DynamoDbTables> => {
  const database = await startDynamoDb();
  const client = new DynamoDBClient({ ...database.client, requestHandler: database.requestHandler });
  let made = 0;
  return {
    empty: async () => {
      made += 1;
      await ensureTable(client, `table-${made}`);
      return new DynamoDbTable(client, `table-${made}`);
    },
    [Symbol.asyncDispose]: async () => {
      client.destroy();
      await database.close();
    },
  };
};
