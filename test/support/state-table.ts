/** Empty tables on an embedded DynamoDB of their own, in memory. */
import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { startDynamoDb } from '../../infra/local/dynamodb.ts';
import { ensureTable } from '../../infra/local/standalone/table.ts';
import { Table } from '../../lib/state/table.ts';

export interface StateTables extends AsyncDisposable {
  /** A new table with nothing in it. */
  empty(): Promise<Table>;
}

/** A table is made in the background, here as on AWS. */
const untilActive = async (client: DynamoDBClient, name: string): Promise<void> => {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const { Table: table } = await client.send(new DescribeTableCommand({ TableName: name }));
    if (table?.TableStatus === 'ACTIVE') return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`table ${name} did not become active`);
};

/** Starts a store; stop it with its async dispose. */
export const stateTables = async (): Promise<StateTables> => {
  const database = await startDynamoDb();
  const client = new DynamoDBClient({ ...database.client, requestHandler: database.requestHandler });
  let made = 0;
  return {
    empty: async () => {
      made += 1;
      await ensureTable(client, `table-${made}`);
      await untilActive(client, `table-${made}`);
      return new Table(client, `table-${made}`);
    },
    [Symbol.asyncDispose]: async () => {
      client.destroy();
      await database.close();
    },
  };
};
