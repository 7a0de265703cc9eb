/** One suite for both adapters of the table: SQLite's, and DynamoDB's on the emulator that tests use. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../../lib/embedded/database.ts';
import { sqliteTable } from '../../../lib/embedded/sqlite-table.ts';
import { readsTogether } from '../../../lib/state/reads-together.ts';
import type { Table } from '../../../lib/state/table.ts';
import { type DynamoDbTables, dynamoDbTables } from '../../support/dynamodb-tables.ts';
import { tableChecks } from './table-checks.ts';

const folder = mkdtempSync(join(tmpdir(), 'kpackless-table-'));
let dynamo: DynamoDbTables;
beforeAll(async () => {
  dynamo = await dynamoDbTables();
});
afterAll(async () => {
  await dynamo[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const adapters: readonly (readonly [name: string, open: () => Promise<Table>])[] = [
  ['SQLite in a file', async () => sqliteTable(openDatabase(join(folder, `${randomUUID()}.sqlite`)))],
  ['SQLite in memory', async () => sqliteTable(openDatabase())],
  ['DynamoDB (emulated)', () => dynamo.empty()],
  ['DynamoDB (emulated), its reads together', async () => readsTogether(await dynamo.empty())],
];

describe.each(adapters)('the table in %s', (_, open) => {
  let table: Table;
  beforeAll(async () => {
    table = await open();
  });
  it.each(tableChecks.map((check) => [check.name, check] as const))('%s', async (_name, check) => {
    expect.hasAssertions();
    await check.run(table, `test#${randomUUID()}`);
  });
});
