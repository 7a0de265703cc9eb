/** From a reconciler to a Lambda handler of its queue. */
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { runBatch, sqsReceipts } from '../lib/queue/batch.ts';
import { queueOf } from '../lib/reconcile/kind-table.ts';
import type { Reconcilable, Reconciler } from '../lib/reconcile/reconciler.ts';
import { passRunner } from '../lib/reconcile/run.ts';
import { type Ports, ports } from './ports.ts';

/** Answers batches of one queue. */
export type QueueHandler = (
  event: SQSEvent,
  context: Pick<Context, 'getRemainingTimeInMillis'>,
) => Promise<SQSBatchResponse>;

/** A handler that runs `runPass` for each key of a batch of the queue that wakes `kind`. */
export const queueHandler = (
  kind: string,
  runPass: Parameters<typeof runBatch>[2]['runPass'],
  { sqs, queueUrl, mayWake, log }: Ports,
): QueueHandler => {
  const receipts = sqsReceipts(sqs, queueUrl(queueOf(kind)), log);
  return (event, context) =>
    runBatch(event, () => context.getRemainingTimeInMillis() / 1000, { runPass, receipts, mayWake, log });
};

/** A handler for a kind's queue. The reconciler is made from the ports, once a process. */
export const reconcileHandler = <T extends Reconcilable>(make: (ports: Ports) => Reconciler<T>): QueueHandler => {
  const wired = ports();
  const reconciler = make(wired);
  return queueHandler(reconciler.kind, passRunner(reconciler, wired), wired);
};
