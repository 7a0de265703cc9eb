/** Empty tables on a DynamoDB of their own: dynalite on loopback, in memory. */
import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ensureTable } from '../../infra/local/standalone/table.ts';
import { Table } from '../../lib/state/table.ts';

type Dynalite = (options: { readonly createTableMs: number }) => Server;

export interface StateTables extends AsyncDisposable {
  /** A new table with nothing in it. */
  empty(): Promise<Table>;
}

/** A table is made in the background, in dynalite as on AWS. */
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
  const dynalite = createRequire(import.meta.url)('dynalite') as Dynalite;
  const server = dynalite({ createTableMs: 0 });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('dynalite has no port');
  const client = new DynamoDBClient({
    region: 'local',
    endpoint: `http://127.0.0.1:${address.port}`,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
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
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
