/** The checks themselves are checked: DynamoDB Local and moto, and AWS when credentials are given, have to pass them too. */

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { contract } from '../../support/contract-subject.ts';
import { awsIsGiven, type MissingOracle, type RunningOracle } from '../../support/oracle-process.ts';
import { startDynamoDbLocal, startMoto } from '../../support/oracle-servers.ts';
import { localClient } from '../sqs/world.ts';
import { dynamoDbChecks } from './checks.ts';
import { makeWorld } from './world.ts';

const over = (start: () => Promise<MissingOracle | RunningOracle>) => async () => {
  const found = await start();
  if ('missing' in found) return found;
  return { world: await makeWorld(new DynamoDBClient(localClient(found.endpoint))), close: found.close };
};

const aws = async () => {
  const world = await makeWorld(new DynamoDBClient({ region: process.env['AWS_REGION'] ?? 'us-east-1' }));
  return { world, close: world.forget };
};

/** moto 5.2.5. */
const motoDeviations = {
  'a batch writes and deletes 25 items and no more': 'takes any number; API BatchWriteItem says 25',
};

const motoUnsteady = {
  'of many writers that add to a set below a size only so many win, and who is in it may again':
    'checks a condition and writes in two steps, with other threads in between',
};

contract(dynamoDbChecks, [
  { name: 'DynamoDB Local', open: over(startDynamoDbLocal) },
  { name: 'moto', deviations: motoDeviations, unsteady: motoUnsteady, open: over(startMoto) },
  ...(awsIsGiven('DynamoDB') ? [{ name: 'AWS', open: aws }] : []),
]);
