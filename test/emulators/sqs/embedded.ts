/**
 * The embedded SQS without a transport (DESIGN §3.18). Faithful to AWS's documentation where kpackless could notice; what it does
 * not do: access control, encryption, persistence, the 120,000-message search window of FIFO groups, request throttling.
 */

import { type Answer, InProcessRequestHandler } from '../in-process.ts';
import { Account } from './account.ts';
import { type Clock, systemClock } from './clock.ts';
import { dispatch } from './dispatcher.ts';
import { MoveTasks } from './move-task.ts';
import { queueUrl, type Service } from './service.ts';

/** A queue at one moment. */
interface QueueSnapshot {
  readonly name: string;
  readonly url: string;
  readonly ready: number;
  readonly inFlight: number;
  readonly delayed: number;
  /** Age of the oldest message in seconds; undefined when empty. */
  readonly oldestAgeSeconds: number | undefined;
}

export interface EmbeddedSqs {
  /** Origin of queue URLs; give it to the SDK client as `endpoint`. */
  readonly endpoint: string;
  /** URL of a queue of this name, whether or not it exists. */
  readonly queueUrl: (name: string) => string;
  /** Every queue's counts, by name: for status pages and tests. */
  readonly snapshot: () => readonly QueueSnapshot[];
  /** Give it to an SDK client as `requestHandler`: same queues, no sockets. */
  readonly requestHandler: InProcessRequestHandler;
  /** Answers requests already parsed; what both transports call. */
  readonly dispatch: Answer;
  /** Ends every long poll and move task; later requests are answered 503. */
  readonly close: () => Promise<void>;
}

export interface EmbeddedSqsOptions {
  readonly clock?: Clock | undefined;
  /** Asked for at every use: a server knows its port only once it listens. */
  readonly endpoint?: () => string;
}

/** Makes an empty SQS. Its queues live in memory and end with the process. */
export const embedSqs = ({
  clock = systemClock,
  endpoint = () => 'http://sqs.kpackless.internal',
}: EmbeddedSqsOptions = {}): EmbeddedSqs => {
  const account = new Account(clock);
  const tasks = new MoveTasks(account, clock);
  const service: Service = { account, clock, endpoint, tasks };
  let closed = false;
  const answer: Answer = async (request) => (closed ? unavailable : dispatch(service, request));
  return {
    get endpoint() {
      return endpoint();
    },
    queueUrl: (name) => queueUrl(service, name),
    snapshot: () => {
      const now = clock.now();
      return account
        .all()
        .map(({ name, queue }) => ({
          name,
          url: queueUrl(service, name),
          ...queue.counts(now),
          oldestAgeSeconds: queue.oldestAgeSeconds(now),
        }))
        .sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    requestHandler: new InProcessRequestHandler(answer),
    dispatch: answer,
    close: async () => {
      closed = true;
      tasks.close();
      for (const { waiters } of account.all()) waiters.close();
    },
  };
};

const unavailable = {
  status: 503,
  headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-query-error': 'ServiceUnavailable;Receiver' },
  body: JSON.stringify({
    __type: 'com.amazon.coral.availability#ServiceUnavailable',
    message: 'The queue service has been closed.',
  }),
};
