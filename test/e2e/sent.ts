/** Listens to what is sent to the queue service. */
import type { SQSClient } from '@aws-sdk/client-sqs';

/** The input of every command that `client` sends from now on, as JSON; the list grows. */
export const sentBodies = (client: SQSClient): readonly string[] => {
  const bodies: string[] = [];
  client.middlewareStack.add(
    (next) => (args) => {
      bodies.push(JSON.stringify(args.input));
      return next(args);
    },
    { step: 'initialize', name: 'kpacklessTestsListen' },
  );
  return bodies;
};
