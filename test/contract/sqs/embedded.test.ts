/** The embedded SQS keeps the contract over both of its transports. */

import { SQSClient } from '@aws-sdk/client-sqs';
import { startSqs } from '../../../infra/local/sqs/server.ts';
import { contract } from '../../support/contract-subject.ts';
import { sqsChecks } from './checks.ts';
import { localClient, makeWorld } from './world.ts';

contract('embedded SQS over HTTP', sqsChecks, {}, async () => {
  const sqs = await startSqs();
  return { world: makeWorld(new SQSClient(localClient(sqs.endpoint))), close: sqs.close };
});

contract('embedded SQS in process', sqsChecks, {}, async () => {
  const { endpoint, requestHandler, close } = await startSqs();
  return { world: makeWorld(new SQSClient({ ...localClient(endpoint), requestHandler })), close };
});
