/** Hands on what came in bulk. On AWS alone: standalone mode's queues let tenants take turns themselves. */
import { setTimeout } from 'node:timers/promises';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { handOn } from '../../lib/queue/hand-on.ts';
import { sqsBacklog } from '../../lib/queue/sqs-backlog.ts';
import { sqsStraightSender } from '../../lib/queue/sqs-sender.ts';
import { bulkRow } from '../../lib/reconcile/kind-table.ts';
import { queueUrlIn } from '../aws-adapters.ts';
import { type Invocation, within } from '../invocation.ts';
import { ports } from '../ports.ts';

const sqs = new SQSClient({});
const queueUrl = queueUrlIn(ports.settings);
const handOnPorts = {
  ...ports,
  accountConcurrency: ports.settings.KPACKLESS_ACCOUNT_CONCURRENCY,
  straight: sqsStraightSender(sqs, queueUrl),
  backlog: sqsBacklog(sqs, queueUrl),
  receipts: ports.receipts(bulkRow.name),
  pause: (milliseconds: number) => setTimeout(milliseconds),
};

export const handler = (event: SQSEvent, context: Invocation): Promise<SQSBatchResponse> =>
  within(context, ports.metrics, () => handOn(event, () => context.getRemainingTimeInMillis() / 1000, handOnPorts));
