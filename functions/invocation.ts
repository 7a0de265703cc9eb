/** Which invocation of Lambda code runs in, so that every line it logs names it, whoever writes the line. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Context } from 'aws-lambda';
import type { Metrics } from '../lib/metrics/metrics.ts';
import type { Log } from '../lib/reconcile/log.ts';

/** What a handler is told of its invocation; outside of Lambda there is no request id. */
export type Invocation = Pick<Context, 'getRemainingTimeInMillis'> & Partial<Pick<Context, 'awsRequestId'>>;

/** A pass that is left behind when its budget is spent goes on beside the next invocation, and still names its own. */
const requestIds = new AsyncLocalStorage<string>();

/** Does `work` as part of an invocation, at whose end what was counted goes out: Lambda may freeze the process right after. */
export const within = async <T>(
  { awsRequestId }: Partial<Pick<Context, 'awsRequestId'>>,
  metrics: Pick<Metrics, 'flush'>,
  work: () => Promise<T>,
): Promise<T> => {
  const counted = async (): Promise<T> => {
    try {
      return await work();
    } finally {
      metrics.flush();
    }
  };
  return awsRequestId === undefined ? counted() : requestIds.run(awsRequestId, counted);
};

/** A log whose lines say `requestId`, by which Lambda's own lines of the same invocation are found. */
export const namingInvocation =
  (log: Log): Log =>
  (level, what, fields) => {
    const requestId = requestIds.getStore();
    log(level, what, requestId === undefined ? fields : { requestId, ...fields });
  };
