/** The checks themselves are checked: implementations by other hands, and AWS when credentials are given, have to pass them too. */

import { SQSClient } from '@aws-sdk/client-sqs';
import { contract } from '../../support/contract-subject.ts';
import { awsIsGiven, type MissingOracle, type RunningOracle } from '../../support/oracle-process.ts';
import { startElasticMq, startMoto } from '../../support/oracle-servers.ts';
import { sqsChecks } from './checks.ts';
import { elasticMqDeviations, motoDeviations } from './deviations.ts';
import { localClient, makeWorld } from './world.ts';

const over = (start: () => Promise<MissingOracle | RunningOracle>) => async () => {
  const found = await start();
  if ('missing' in found) return found;
  return { world: makeWorld(new SQSClient(localClient(found.endpoint))), close: found.close };
};

const aws = async () => {
  const world = makeWorld(new SQSClient({ region: process.env['AWS_REGION'] ?? 'us-east-1' }));
  return { world, close: world.forget };
};

contract(sqsChecks, [
  { name: 'moto', deviations: motoDeviations, open: over(startMoto) },
  { name: 'ElasticMQ', deviations: elasticMqDeviations, open: over(startElasticMq) },
  ...(awsIsGiven('SQS') ? [{ name: 'AWS', open: aws }] : []),
]);
