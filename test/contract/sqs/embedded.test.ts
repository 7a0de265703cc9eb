/** The embedded SQS keeps the contract over both of its transports. */

import { SQSClient } from '@aws-sdk/client-sqs';
import { startSqs } from '../../emulators/sqs/server.ts';
import { contract } from '../../support/contract-subject.ts';
import { sqsChecks } from './checks.ts';
import { localClient, makeWorld } from './world.ts';

const embedded = (inProcess: boolean) => async () => {
  const { endpoint, requestHandler, close } = await startSqs();
  const client = new SQSClient({ ...localClient(endpoint), ...(inProcess && { requestHandler }) });
  return { world: makeWorld(client), close };
};

contract(sqsChecks, [
  { name: 'embedded SQS over HTTP', open: embedded(false) },
  { name: 'embedded SQS in process', open: embedded(true) },
]);
