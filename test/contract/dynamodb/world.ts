/** A table of the shape ours has, with its `due` index, and a vocabulary for checks. */

import { randomUUID } from 'node:crypto';
import {
  type AttributeValue,
  BatchWriteItemCommand,
  CreateTableCommand,
  DeleteItemCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  type QueryCommandInput,
  type QueryCommandOutput,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { tableShape } from '../../emulators/table.ts';
import type { ContractCheck } from '../../support/contract-subject.ts';

type Attributes = Readonly<Record<string, AttributeValue>>;
export type Check = ContractCheck<World>;

type Condition = Pick<
  UpdateItemCommandInput,
  'ConditionExpression' | 'ExpressionAttributeNames' | 'ExpressionAttributeValues'
>;

export interface World {
  readonly dynamo: DynamoDBClient;
  readonly table: string;
  /** A partition key nobody else uses. */
  readonly newKey: () => string;
  readonly put: (pk: string, sk: string, more?: Attributes, condition?: Condition) => Promise<void>;
  readonly update: (
    pk: string,
    sk: string,
    expression: string,
    values?: Attributes,
    more?: Partial<UpdateItemCommandInput>,
  ) => Promise<Attributes | undefined>;
  readonly remove: (pk: string, sk: string, condition?: Condition) => Promise<void>;
  /** A consistent read. */
  readonly get: (pk: string, sk: string) => Promise<Attributes | undefined>;
  /** Writes up to 25 items of a partition at once. */
  readonly putAll: (pk: string, items: readonly Attributes[]) => Promise<void>;
  readonly query: (input: Partial<QueryCommandInput>) => Promise<QueryCommandOutput>;
}

/** Creates the table and waits until it can be used. */
export const makeWorld = async (dynamo: DynamoDBClient): Promise<World & { readonly forget: () => Promise<void> }> => {
  const table = `kpackless-${randomUUID()}`;
  await dynamo.send(
    new CreateTableCommand({
      TableName: table,
      ...tableShape,
    }),
  );
  for (let status = ''; status !== 'ACTIVE'; ) {
    const { Table } = await dynamo.send(new DescribeTableCommand({ TableName: table }));
    status = Table?.TableStatus ?? '';
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const key = (pk: string, sk: string) => ({ pk: { S: pk }, sk: { S: sk } });
  return {
    dynamo,
    table,
    newKey: () => randomUUID(),
    put: async (pk, sk, more, condition) => {
      await dynamo.send(new PutItemCommand({ TableName: table, Item: { ...more, ...key(pk, sk) }, ...condition }));
    },
    update: async (pk, sk, UpdateExpression, values, more) => {
      const { Attributes } = await dynamo.send(
        new UpdateItemCommand({
          TableName: table,
          Key: key(pk, sk),
          UpdateExpression,
          ...(values !== undefined && { ExpressionAttributeValues: { ...values } }),
          ...more,
        }),
      );
      return Attributes;
    },
    remove: async (pk, sk, condition) => {
      await dynamo.send(new DeleteItemCommand({ TableName: table, Key: key(pk, sk), ...condition }));
    },
    get: async (pk, sk) =>
      (await dynamo.send(new GetItemCommand({ TableName: table, Key: key(pk, sk), ConsistentRead: true }))).Item,
    putAll: async (pk, items) => {
      const requests = items.map((item) => ({ PutRequest: { Item: { ...item, pk: { S: pk } } } }));
      const { UnprocessedItems = {} } = await dynamo.send(
        new BatchWriteItemCommand({ RequestItems: { [table]: requests } }),
      );
      if (Object.keys(UnprocessedItems).length > 0) throw new Error('some items were not written');
    },
    query: async (input) => dynamo.send(new QueryCommand({ TableName: table, ...input })),
    forget: async () => {
      await dynamo.send(new DeleteTableCommand({ TableName: table })).catch(() => {});
    },
  };
};
