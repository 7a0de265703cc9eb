/** The checks themselves are checked: DynamoDB Local and moto, and AWS when credentials are given, have to pass them too. */

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { contract } from '../../support/contract-subject.ts';
import type { MissingOracle, RunningOracle } from '../../support/oracle-process.ts';
import { startDynamoDbLocal, startMoto } from '../../support/oracle-servers.ts';
import { localClient } from '../sqs/world.ts';
import { dynamoDbChecks } from './checks.ts';
import { makeWorld } from './world.ts';

const over = (start: () => Promise<MissingOracle | RunningOracle>) => async () => {
  const found = await start();
  if ('missing' in found) return found;
  return { world: await makeWorld(new DynamoDBClient(localClient(found.endpoint))), close: found.close };
};

contract('DynamoDB Local', dynamoDbChecks, {}, over(startDynamoDbLocal));
contract(
  'moto',
  dynamoDbChecks,
  { 'a batch writes and deletes 25 items and no more': 'takes any number; API BatchWriteItem says 25' },
  over(startMoto),
);

if (process.env['AWS_ACCESS_KEY_ID'] !== undefined && process.env['KPACKLESS_AWS_CONTRACT'] === '1') {
  contract('AWS', dynamoDbChecks, {}, async () => {
    const world = await makeWorld(new DynamoDBClient({ region: process.env['AWS_REGION'] ?? 'us-east-1' }));
    return { world, close: world.forget };
  });
} else {
  process.stderr.write('AWS is not compared with: needs AWS_ACCESS_KEY_ID and KPACKLESS_AWS_CONTRACT=1\n');
}
