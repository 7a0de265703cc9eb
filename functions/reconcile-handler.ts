/** From a reconciler to a Lambda handler of its queue. */
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { runBatch } from '../lib/queue/batch.ts';
import { queueOf } from '../lib/reconcile/kind-table.ts';
import type { Log } from '../lib/reconcile/log.ts';
import type { Reconcilable, Reconciler } from '../lib/reconcile/reconciler.ts';
import { passRunner } from '../lib/reconcile/run.ts';
import { type Ports, ports } from './ports.ts';

/** What Lambda says of an invocation; outside of it there is no request id. */
type Invocation = Pick<Context, 'getRemainingTimeInMillis'> & Partial<Pick<Context, 'awsRequestId'>>;

/** Answers batches of one queue. */
export type QueueHandler = (event: SQSEvent, context: Invocation) => Promise<SQSBatchResponse>;

/** Lines of an invocation name it, so that they are found with what Lambda itself logs of it. */
const logOf = (log: Log, { awsRequestId: requestId }: Invocation): Log =>
  requestId === undefined ? log : (level, what, fields) => log(level, what, { requestId, ...fields });

/** A handler that runs `runPass` for each key of a batch of the queue that wakes `kind`. */
export const queueHandler = (
  kind: string,
  runPass: Parameters<typeof runBatch>[2]['runPass'],
  { receipts: receiptsOf, mayWake, log }: Ports,
): QueueHandler => {
  const receipts = receiptsOf(queueOf(kind));
  return (event, context) =>
    runBatch(event, () => context.getRemainingTimeInMillis() / 1000, {
      runPass,
      receipts,
      mayWake,
      log: logOf(log, context),
    });
};

/** A handler for a kind's queue. The reconciler is made from the ports, once a process. */
export const reconcileHandler = <T extends Reconcilable>(make: (ports: Ports) => Reconciler<T>): QueueHandler => {
  const reconciler = make(ports);
  return queueHandler(reconciler.kind, passRunner(reconciler, ports), ports);
};
