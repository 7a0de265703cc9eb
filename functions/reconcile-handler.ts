/** From a reconciler to a Lambda handler of its queue. */
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { runBatch } from '../lib/queue/batch.ts';
import { queueOf } from '../lib/reconcile/kind-table.ts';
import type { Reconcilable, Reconciler } from '../lib/reconcile/reconciler.ts';
import { passRunner, type RunnerPorts } from '../lib/reconcile/run.ts';
import { type Invocation, within } from './invocation.ts';
import { type Ports, ports } from './ports.ts';

/** Answers batches of one queue. */
export type QueueHandler = (event: SQSEvent, context: Invocation) => Promise<SQSBatchResponse>;

/** A handler that runs `runPass` for each key of a batch of the queue that wakes `kind`. */
export const queueHandler = (
  kind: string,
  runPass: Parameters<typeof runBatch>[2]['runPass'],
  { receipts: receiptsOf, mayWake, log, metrics }: Ports,
): QueueHandler => {
  const receipts = receiptsOf(queueOf(kind));
  return (event, context) =>
    within(context, metrics, () =>
      runBatch(event, () => context.getRemainingTimeInMillis() / 1000, { runPass, receipts, mayWake, log, metrics }),
    );
};

/** A handler for a kind's queue. The reconciler is made from the ports, once a process, and so is who hears of its transitions, if anybody does. */
export const reconcileHandler = <T extends Reconcilable>(
  make: (ports: Ports) => Reconciler<T>,
  hears: (ports: Ports) => Pick<RunnerPorts, 'announcer'> = () => ({}),
): QueueHandler => {
  const reconciler = make(ports);
  return queueHandler(reconciler.kind, passRunner(reconciler, { ...ports, ...hears(ports) }), ports);
};
