/** The checks themselves are checked: implementations by other hands, and AWS when credentials are given, have to pass them too. */

import { SQSClient } from '@aws-sdk/client-sqs';
import { contract } from '../../support/contract-subject.ts';
import type { MissingOracle, RunningOracle } from '../../support/oracle-process.ts';
import { startElasticMq, startMoto } from '../../support/oracle-servers.ts';
import { sqsChecks } from './checks.ts';
import { elasticMqDeviations, motoDeviations } from './deviations.ts';
import { localClient, makeWorld } from './world.ts';

const over = (start: () => Promise<MissingOracle | RunningOracle>) => async () => {
  const found = await start();
  if ('missing' in found) return found;
  return { world: makeWorld(new SQSClient(localClient(found.endpoint))), close: found.close };
};

contract('moto', sqsChecks, motoDeviations, over(startMoto));
contract('ElasticMQ', sqsChecks, elasticMqDeviations, over(startElasticMq));

const awsIsGiven = process.env['AWS_ACCESS_KEY_ID'] !== undefined && process.env['KPACKLESS_AWS_CONTRACT'] === '1';

if (awsIsGiven) {
  contract('AWS', sqsChecks, {}, async () => {
    const world = makeWorld(new SQSClient({ region: process.env['AWS_REGION'] ?? 'us-east-1' }));
    return { world, close: world.forget };
  });
} else {
  process.stderr.write('AWS is not compared with: needs AWS_ACCESS_KEY_ID and KPACKLESS_AWS_CONTRACT=1\n');
}
