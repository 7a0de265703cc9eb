/** The whole table in DynamoDB: half a read unit for 4 KB, 0.06 US$ a million of small items (spec 06 §5). */
import { type DynamoDBClient, ScanCommand, type ScanCommandOutput } from '@aws-sdk/client-dynamodb';
import { networkCause } from '../errors/network-cause.ts';
import { decodeItem } from './dynamodb-table.ts';
import type { Scan } from './scan.ts';
import { StateError } from './table.ts';

/** A page of 1 MB takes far less. */
const deadlineMilliseconds = 15_000;

/** Reads the table `name`; `isConsistent` sees everything that was written before, and costs twice as much. */
export const dynamoDbScan = (client: DynamoDBClient, name: string, { isConsistent = true } = {}): Scan => ({
  async *pages() {
    let from: ScanCommandOutput['LastEvaluatedKey'];
    const page = async (): Promise<ScanCommandOutput> => {
      try {
        return await client.send(
          new ScanCommand({ TableName: name, ConsistentRead: isConsistent, ...(from && { ExclusiveStartKey: from }) }),
          { abortSignal: AbortSignal.timeout(deadlineMilliseconds) },
        );
      } catch (error) {
        throw new StateError(`reading all of table ${name}: ${networkCause(error)}`, { cause: error });
      }
    };
    do {
      const { Items = [], LastEvaluatedKey } = await page();
      yield Items.map(decodeItem);
      from = LastEvaluatedKey;
    } while (from !== undefined);
  },
});
