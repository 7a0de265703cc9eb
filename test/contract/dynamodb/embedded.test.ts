/** The embedded DynamoDB keeps the contract over both of its transports, and with reads that lag. */

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { type StartDynamoDbOptions, startDynamoDb } from '../../../infra/local/dynamodb.ts';
import { contract } from '../../support/contract-subject.ts';
import { dynamoDbChecks } from './checks.ts';
import { makeWorld } from './world.ts';

const embedded = (options: StartDynamoDbOptions, inProcess: boolean) => async () => {
  const { client, requestHandler, close } = await startDynamoDb(options);
  const dynamo = new DynamoDBClient({ ...client, maxAttempts: 1, ...(inProcess && { requestHandler }) });
  return { world: await makeWorld(dynamo), close };
};

contract('embedded DynamoDB over HTTP', dynamoDbChecks, {}, embedded({}, false));
contract('embedded DynamoDB in process', dynamoDbChecks, {}, embedded({}, true));
contract('embedded DynamoDB with lagging reads', dynamoDbChecks, {}, embedded({ staleReadsMs: 100 }, true));
