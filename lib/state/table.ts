/** The one table as a port, as narrow as the data model: single-item conditional writes, a query of a partition and of the index `due`. */
import { ExpectedError, PermanentError } from '../errors/expected.ts';
import { printable } from '../text/printable.ts';

/** The store cannot be reached or refuses for now. */
export class StateError extends ExpectedError {
  override readonly name: string = 'StateError';
}

/** An item or a key is larger than the store takes. Waiting does not help, and it is no bug: whoever made it so large has to make it smaller. */
export class TooLargeError extends PermanentError {
  override readonly name = 'TooLargeError';

  constructor(pk: string, cause?: Error) {
    super(
      'TooLarge',
      `what has to be remembered of ${printable(pk, 300)} is larger than the store takes; make it smaller`,
      {
        cause,
      },
    );
  }
}

/** Longest keys and largest item, in bytes: DynamoDB's, and every adapter's. */
const mostPartitionKeyBytes = 2048;
const mostSortKeyBytes = 1024;
export const mostItemBytes = 400 * 1024;

/** @throws TooLargeError when no store would take the key */
export const expectKey = (pk: string, sk = ''): void => {
  if (Buffer.byteLength(pk) > mostPartitionKeyBytes || Buffer.byteLength(sk) > mostSortKeyBytes)
    throw new TooLargeError(pk);
};

/** What we keep in attributes: strings, numbers, sets of strings. */
export type Attribute = string | number | readonly string[];
export type Item = Readonly<Record<string, Attribute>>;

/** A change of one item. `remove` wins over nothing; `add` unites string sets. */
export interface Change {
  readonly set?: Readonly<Record<string, Attribute | undefined>>;
  readonly remove?: readonly string[];
  readonly add?: Readonly<Record<string, readonly string[]>>;
  /** Numbers: each becomes `than` and as much as attribute `by` of the item says, or `orBy` where it says nothing. */
  readonly later?: Readonly<Record<string, { readonly than: number; readonly by: string; readonly orBy: number }>>;
  /** Each named attribute must have this value, or be absent when undefined; otherwise nothing is written. */
  readonly expect?: Readonly<Record<string, string | number | undefined>>;
  /** The string set `attribute` must be absent, have fewer than `below` elements, or have `element` already. */
  readonly room?: { readonly attribute: string; readonly below: number; readonly element: string };
}

/** A page of a query; `next` continues it. */
export interface Page {
  readonly items: readonly Item[];
  readonly next: string | undefined;
}

/**
 * The table. Two adapters, one contract suite: DynamoDB on AWS, SQLite in standalone mode. Calls throw StateError when the store is out of reach,
 * TooLargeError when what is written does not fit.
 */
export interface Table {
  /** The item as of now: always a consistent read. */
  get(pk: string, sk: string): Promise<Item | undefined>;
  /** Writes the whole item. */
  put(pk: string, sk: string, item?: Item): Promise<void>;
  /** Changes one item in one conditional write. False when `expect` or `room` did not hold. */
  update(pk: string, sk: string, change: Change): Promise<boolean>;
  /** Deletes one item, if `expect` holds. */
  delete(pk: string, sk: string, expect?: Expectation): Promise<boolean>;
  /** One page of a partition in the order of sort keys, consistent, at most `limit` items, after sort key `from`, there or not. */
  queryPartition(pk: string, page: { readonly limit: number; readonly from?: string | undefined }): Promise<Page>;
  /** The earliest items of a shard of the `due` index with dueAt ≤ `now`, after one seen before; an index may lag: what it says is a hint. */
  queryDue(shard: number, now: number, page: DuePage): Promise<readonly Item[]>;
}

/** What one attribute must be. */
export interface Expectation {
  readonly attribute: string;
  readonly value: string | number;
}

/** Which part of what is due. */
export interface DuePage {
  readonly limit: number;
  readonly after?: { readonly pk: string; readonly sk: string; readonly dueAt: number } | undefined;
}
