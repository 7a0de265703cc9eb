/** The table in DynamoDB. Every call has a deadline of five seconds from when it is sent, and so many are under way at once and no more. */
import {
  type AttributeValue,
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  type QueryCommandInput,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { networkCause } from '../errors/network-cause.ts';
import { CallsAtOnce } from './calls-at-once.ts';
import {
  type Attribute,
  type Change,
  type DuePage,
  type Expectation,
  expectKey,
  type Item,
  type Page,
  StateError,
  type Table,
  TooLargeError,
} from './table.ts';

/** DynamoDB's words for an item above 400 KB. */
export const saysTooLarge = ({ message }: Error): boolean =>
  /\bsize\b.{0,20}\bhas exceeded/iu.test(message.slice(0, 200));

/** Fewer than the connections that the SDK opens (50): there a call would wait with its clock running. At 8 ms each, 5,000 a second. */
const mostCalls = 40;

const encode = (value: Attribute): AttributeValue => {
  if (typeof value === 'string') return { S: value };
  return typeof value === 'number' ? { N: String(value) } : { SS: [...value] };
};

const decode = (value: AttributeValue): Attribute | undefined => {
  if (value.S !== undefined) return value.S;
  if (value.N !== undefined) return Number(value.N);
  return value.SS;
};

/** What a stored item says. */
export const decodeItem = (item: Record<string, AttributeValue>): Item =>
  Object.fromEntries(
    Object.entries(item)
      .map(([name, value]) => [name, decode(value)] as const)
      .filter((entry): entry is readonly [string, Attribute] => entry[1] !== undefined),
  );

const isEmptySet = (value: Attribute | undefined): boolean => Array.isArray(value) && value.length === 0;

/** Which item. */
export interface ItemKey {
  readonly pk: string;
  readonly sk: string;
}

/** The table of this name. */
export class DynamoDbTable implements Table {
  readonly #client: DynamoDBClient;
  readonly #name: string;
  readonly #calls = new CallsAtOnce(mostCalls);

  constructor(client: DynamoDBClient, name: string) {
    this.#client = client;
    this.#name = name;
  }

  async #call<T>(what: string, pk: string, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      return await this.#calls.run(() => call(AbortSignal.timeout(5000)));
    } catch (error) {
      // What the store calls invalid is a bug here: waiting does not heal it.
      if (error instanceof ConditionalCheckFailedException) throw error;
      if (error instanceof Error && error.name === 'ValidationException')
        throw saysTooLarge(error) ? new TooLargeError(pk, error) : error;
      throw new StateError(`${what} in table ${this.#name}: ${networkCause(error)}`, { cause: error });
    }
  }

  /** The item as of now: always a consistent read. */
  async get(pk: string, sk: string): Promise<Item | undefined> {
    expectKey(pk, sk);
    const answer = await this.#call('reading', pk, (abortSignal) =>
      this.#client.send(
        new GetItemCommand({ TableName: this.#name, Key: { pk: { S: pk }, sk: { S: sk } }, ConsistentRead: true }),
        { abortSignal },
      ),
    );
    return answer.Item === undefined ? undefined : decodeItem(answer.Item);
  }

  /** Those of a hundred items at most that there are, each as of now; and what the store had no time for. */
  async getMany(
    keys: readonly ItemKey[],
  ): Promise<{ readonly items: readonly Item[]; readonly left: readonly ItemKey[] }> {
    const asked = { Keys: keys.map(({ pk, sk }) => ({ pk: { S: pk }, sk: { S: sk } })), ConsistentRead: true };
    const { Responses, UnprocessedKeys } = await this.#call('reading', keys[0]?.pk ?? '', (abortSignal) =>
      this.#client.send(new BatchGetItemCommand({ RequestItems: { [this.#name]: asked } }), { abortSignal }),
    );
    return {
      items: (Responses?.[this.#name] ?? []).map(decodeItem),
      left: (UnprocessedKeys?.[this.#name]?.Keys ?? []).map(({ pk, sk }) => ({ pk: pk?.S ?? '', sk: sk?.S ?? '' })),
    };
  }

  /** Writes the whole item. */
  async put(pk: string, sk: string, item: Item = {}): Promise<void> {
    expectKey(pk, sk);
    const encoded = Object.fromEntries(Object.entries(item).map(([name, value]) => [name, encode(value)]));
    await this.#call('writing', pk, (abortSignal) =>
      this.#client.send(
        new PutItemCommand({ TableName: this.#name, Item: { ...encoded, pk: { S: pk }, sk: { S: sk } } }),
        { abortSignal },
      ),
    );
  }

  /** Changes one item in one conditional write. False when `expect` did not hold. */
  async update(pk: string, sk: string, change: Change): Promise<boolean> {
    expectKey(pk, sk);
    const names: Record<string, string> = {};
    const values: Record<string, AttributeValue> = {};
    const name = (attribute: string): string => {
      const alias = `#${attribute}`;
      names[alias] = attribute;
      return alias;
    };
    const value = (attribute: string, given: Attribute): string => {
      const alias = `:${attribute}${Object.keys(values).length}`;
      values[alias] = encode(given);
      return alias;
    };
    const set = Object.entries(change.set ?? {});
    const sets = set.filter((entry): entry is [string, Attribute] => entry[1] !== undefined && !isEmptySet(entry[1]));
    const removes = [
      ...(change.remove ?? []),
      ...set.filter(([, given]) => given === undefined || isEmptySet(given)).map(([attribute]) => attribute),
    ];
    const adds = Object.entries(change.add ?? {}).filter(([, given]) => given.length > 0);
    const laters = Object.entries(change.later ?? {}).map(([attribute, { than, by, orBy }]) => {
      const more = `if_not_exists(${name(by)}, ${value('orBy', orBy)})`;
      return `${name(attribute)} = ${more} + ${value('than', than)}`;
    });
    const parts = [
      ['SET', [...sets.map(([attribute, given]) => `${name(attribute)} = ${value(attribute, given)}`), ...laters]],
      ['REMOVE', removes.map(name)],
      ['ADD', adds.map(([attribute, given]) => `${name(attribute)} ${value(attribute, given)}`)],
    ] as const;
    const conditions = Object.entries(change.expect ?? {}).map(([attribute, given]) =>
      given === undefined
        ? `attribute_not_exists(${name(attribute)})`
        : `${name(attribute)} = ${value(attribute, given)}`,
    );
    if (change.room !== undefined) {
      const { attribute, below, element } = change.room;
      const set = name(attribute);
      const alias = value(attribute, element);
      conditions.push(
        `(attribute_not_exists(${set}) OR size(${set}) < ${value('below', below)} OR contains(${set}, ${alias}))`,
      );
    }
    const expression = parts
      .filter(([, clauses]) => clauses.length > 0)
      .map(([verb, clauses]) => `${verb} ${clauses.join(', ')}`)
      .join(' ');
    if (expression === '') return true;
    return this.#conditionally('updating', pk, (abortSignal) =>
      this.#client.send(
        new UpdateItemCommand({
          TableName: this.#name,
          Key: { pk: { S: pk }, sk: { S: sk } },
          UpdateExpression: expression,
          ExpressionAttributeNames: names,
          ...(Object.keys(values).length === 0 ? {} : { ExpressionAttributeValues: values }),
          ...(conditions.length === 0 ? {} : { ConditionExpression: conditions.join(' AND ') }),
        }),
        { abortSignal },
      ),
    );
  }

  /** Deletes one item, if `expect` holds. */
  async delete(pk: string, sk: string, expect?: Expectation): Promise<boolean> {
    expectKey(pk, sk);
    return this.#conditionally('deleting', pk, (abortSignal) =>
      this.#client.send(
        new DeleteItemCommand({
          TableName: this.#name,
          Key: { pk: { S: pk }, sk: { S: sk } },
          ...(expect === undefined
            ? {}
            : {
                ConditionExpression: '#a = :a',
                ExpressionAttributeNames: { '#a': expect.attribute },
                ExpressionAttributeValues: { ':a': encode(expect.value) },
              }),
        }),
        { abortSignal },
      ),
    );
  }

  /** One page of a partition, consistent, at most `limit` items. */
  async queryPartition(
    pk: string,
    { limit, from }: { readonly limit: number; readonly from?: string | undefined },
  ): Promise<Page> {
    expectKey(pk, from);
    return this.#query(pk, {
      TableName: this.#name,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': { S: pk } },
      ConsistentRead: true,
      Limit: limit,
      ...(from === undefined ? {} : { ExclusiveStartKey: { pk: { S: pk }, sk: { S: from } } }),
    });
  }

  /** The earliest items of a shard of the `due` index with dueAt ≤ `now`, after one seen before; an index may lag: what it says is a hint. */
  async queryDue(shard: number, now: number, { limit, after }: DuePage): Promise<readonly Item[]> {
    const page = await this.#query('index due', {
      TableName: this.#name,
      IndexName: 'due',
      KeyConditionExpression: 'dueShard = :shard AND dueAt <= :now',
      ExpressionAttributeValues: { ':shard': { N: String(shard) }, ':now': { N: String(now) } },
      Limit: limit,
      ...(after === undefined
        ? {}
        : {
            ExclusiveStartKey: {
              pk: { S: after.pk },
              sk: { S: after.sk },
              dueShard: { N: String(shard) },
              dueAt: { N: String(after.dueAt) },
            },
          }),
    });
    return page.items;
  }

  async #query(pk: string, input: QueryCommandInput): Promise<Page> {
    const answer = await this.#call('querying', pk, (abortSignal) =>
      this.#client.send(new QueryCommand(input), { abortSignal }),
    );
    return { items: (answer.Items ?? []).map(decodeItem), next: answer.LastEvaluatedKey?.['sk']?.S };
  }

  async #conditionally(what: string, pk: string, call: (signal: AbortSignal) => Promise<unknown>): Promise<boolean> {
    try {
      await this.#call(what, pk, call);
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }
}
