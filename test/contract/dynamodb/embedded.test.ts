/** The embedded DynamoDB keeps the contract over both of its transports, and with reads that lag. */

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { type StartDynamoDbOptions, startDynamoDb } from '../../emulators/dynamodb.ts';
import { contract } from '../../support/contract-subject.ts';
import { dynamoDbChecks } from './checks.ts';
import { makeWorld } from './world.ts';

const embedded = (options: StartDynamoDbOptions, inProcess: boolean) => async () => {
  const { client, requestHandler, close } = await startDynamoDb(options);
  const dynamo = new DynamoDBClient({ ...client, maxAttempts: 1, ...(inProcess && { requestHandler }) });
  return { world: await makeWorld(dynamo), close };
};

contract(dynamoDbChecks, [
  { name: 'embedded DynamoDB over HTTP', open: embedded({}, false) },
  { name: 'embedded DynamoDB in process', open: embedded({}, true) },
  { name: 'embedded DynamoDB with lagging reads', open: embedded({ staleReadsMs: 100 }, true) },
]);
