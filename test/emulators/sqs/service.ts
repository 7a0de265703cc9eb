/** What every action works on, and the shape of an action. */

import type { Account, NamedQueue } from './account.ts';
import { accountId } from './account.ts';
import type { Clock } from './clock.ts';
import { type Input, text } from './input.ts';
import type { MoveTasks } from './move-task.ts';

export interface Service {
  readonly account: Account;
  readonly tasks: MoveTasks;
  readonly clock: Clock;
  /** Origin that queue URLs begin with: the SDK sends a queue's requests there. */
  readonly endpoint: () => string;
}

/** What a request brings besides its body. */
export interface Call {
  /** Access key id of the signature; stamped on messages, as AWS stamps the role. */
  readonly senderId: string;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal | undefined;
}

/** Takes the members of a request and answers the members of the response. */
export type Action = (service: Service, input: Input, call: Call) => Promise<object> | object;

export const queueUrl = ({ endpoint }: Service, name: string): string => `${endpoint()}/${accountId}/${name}`;

/** The queue a request names by URL; the host is not compared, the name decides. */
export const queueOf = ({ account }: Service, input: Input): NamedQueue => {
  const url = text(input, 'QueueUrl');
  return account.byName(url.slice(url.lastIndexOf('/') + 1));
};
