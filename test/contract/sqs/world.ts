/** What a check works with: a client, fresh queues, and a vocabulary short enough that a check reads as a sentence. */

import { randomUUID } from 'node:crypto';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageCommand,
  type SendMessageCommandInput,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { ContractCheck } from '../../support/contract-subject.ts';

export type Check = ContractCheck<World>;

type Attributes = Readonly<Record<string, string>>;

export interface World {
  readonly sqs: SQSClient;
  /** A new standard queue's URL. */
  readonly standard: (attributes?: Attributes) => Promise<string>;
  /** A new FIFO queue's URL. */
  readonly fifo: (attributes?: Attributes) => Promise<string>;
  readonly newName: () => string;
  /** Sends one message; answers its id. */
  readonly send: (url: string, body: string, more?: Partial<SendMessageCommandInput>) => Promise<string>;
  /** Sends to a group, the body being the deduplication id. */
  readonly sendTo: (url: string, group: string, ...bodies: readonly string[]) => Promise<void>;
  readonly receive: (url: string, more?: Partial<ReceiveMessageCommandInput>) => Promise<readonly Message[]>;
  /** Bodies of one receive of up to ten that returns at once. */
  readonly bodies: (
    url: string,
    more?: Partial<ReceiveMessageCommandInput>,
  ) => Promise<readonly (string | undefined)[]>;
  readonly remove: (url: string, message: Message | undefined) => Promise<void>;
  readonly attribute: (url: string, name: 'QueueArn' | 'MaximumMessageSize' | 'VisibilityTimeout') => Promise<string>;
}

/** A world over a client; `forget` deletes every queue made in it. */
export const makeWorld = (sqs: SQSClient): World & { readonly forget: () => Promise<void> } => {
  const made: string[] = [];
  const newName = (): string => `kpackless-${randomUUID()}`;
  const create = async (QueueName: string, attributes: Attributes): Promise<string> => {
    const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes: { ...attributes } }));
    made.push(QueueUrl);
    return QueueUrl;
  };
  const receive: World['receive'] = async (QueueUrl, more) => {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, MessageSystemAttributeNames: ['All'], ...more }),
    );
    return Messages;
  };
  const send: World['send'] = async (QueueUrl, MessageBody, more) => {
    const { MessageId = '' } = await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, ...more }));
    return MessageId;
  };
  return {
    sqs,
    newName,
    standard: async (attributes = {}) => create(newName(), attributes),
    fifo: async (attributes = {}) => create(`${newName()}.fifo`, { FifoQueue: 'true', ...attributes }),
    send,
    sendTo: async (url, MessageGroupId, ...bodies) => {
      for (const body of bodies) await send(url, body, { MessageGroupId, MessageDeduplicationId: body });
    },
    receive,
    bodies: async (url, more) => (await receive(url, more)).map(({ Body }) => Body),
    remove: async (QueueUrl, message) => {
      await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message?.ReceiptHandle }));
    },
    attribute: async (QueueUrl, name) => {
      const { Attributes = {} } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [name] }));
      return Attributes[name] ?? '';
    },
    forget: async () => {
      await Promise.allSettled(made.map(async (QueueUrl) => sqs.send(new DeleteQueueCommand({ QueueUrl }))));
    },
  };
};

/** The name the SDK gives the refusal; throws when there is none. */
export const refusalOf = async (attempt: Promise<unknown>): Promise<string> => {
  try {
    await attempt;
  } catch (error) {
    if (error instanceof Error) return error.name;
    throw error;
  }
  throw new Error('was not refused');
};

export const seconds = async (count: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, count * 1000));

/** Repeats until the answer is there; the last answer when it never is. For what AWS calls eventually consistent. */
export const eventually = async <T>(look: () => Promise<T>, isThere: (answer: T) => boolean): Promise<T> => {
  const deadline = Date.now() + 4000;
  for (;;) {
    const answer = await look();
    if (isThere(answer) || Date.now() > deadline) return answer;
    await seconds(0.1);
  }
};

/** Settings of a client for a server that looks at no credentials. */
export const localClient = (endpoint: string) => ({
  endpoint,
  region: 'us-east-1',
  credentials: { accessKeyId: 'AKIALOCAL', secretAccessKey: 'local' },
  maxAttempts: 1,
});
