/** SQS for a process: the emulator behind as much of the SDK's client as the product uses. The SDK itself, with its tries, is left out. */
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { EmbeddedSqs } from '../../emulators/sqs/embedded.ts';
import type { Calls } from '../calls.ts';

interface Command {
  readonly input: object;
}

interface SentEntry {
  readonly MessageBody?: string;
}

/** What messages say, for the name of a call. */
const shownEntries = (input: object): string => {
  const { Entries = [] } = input as { readonly Entries?: readonly SentEntry[] };
  return Entries.map(({ MessageBody = '{}' }) => {
    const { reason = '', target } = JSON.parse(MessageBody) as {
      readonly reason?: string;
      readonly target?: { readonly namespace: string; readonly name: string };
    };
    return target === undefined ? '' : `${reason} ${target.namespace}/${target.name}`;
  })
    .join(', ')
    .slice(0, 80);
};

/** One call of the emulator, as `sender`. @throws Error when it refuses */
export const askSqs = async (sqs: EmbeddedSqs, action: string, input: object, sender: string): Promise<object> => {
  const { status, body } = await sqs.dispatch({
    headers: { 'x-amz-target': `AmazonSQS.${action}`, authorization: `Credential=${sender}/x` },
    body: JSON.stringify(input),
  });
  const answer = JSON.parse(body) as { readonly message?: string };
  if (status !== 200) throw new Error(`${action}: ${answer.message ?? status}`);
  return answer;
};

/** A client whose messages are stamped with `sender`. */
export const sqsClient = (sqs: EmbeddedSqs, calls: Calls, sender: string): SQSClient => {
  const send = (command: Command, { abortSignal }: { readonly abortSignal?: AbortSignal } = {}): Promise<object> => {
    const action = command.constructor.name.replace(/Command$/, '');
    const { QueueUrl = '' } = command.input as { readonly QueueUrl?: string };
    return calls.make({
      port: 'queue',
      name: `${action} ${QueueUrl.replace(/^.*\//, '')} ${shownEntries(command.input)}`,
      isWrite: !action.startsWith('Get'),
      isSend: action === 'SendMessageBatch',
      signal: abortSignal,
      carryOut: () => askSqs(sqs, action, command.input, sender),
      failing: () => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }),
    });
  };
  // Of a client the product uses `send` alone.
  return { send } as unknown as SQSClient;
};
