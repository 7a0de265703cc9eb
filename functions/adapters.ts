/** What everything rests on: a table, queues, an AWS identity. On AWS they are services; standalone mode has its own (DESIGN §3.18). */
import type { AwsCredentials } from '../lib/kube/eks-token.ts';
import type { Metrics } from '../lib/metrics/metrics.ts';
import type { Receipts } from '../lib/queue/batch.ts';
import type { DeadLetters } from '../lib/queue/dead-letters.ts';
import type { Sender } from '../lib/queue/send.ts';
import type { Log } from '../lib/reconcile/log.ts';
import type { Table } from '../lib/state/table.ts';
import type { Settings } from './settings.ts';

/** Who the process is on AWS. In standalone mode nobody asks unless a cluster of EKS or a bucket wants to know. */
export interface AwsIdentity {
  readonly region: () => Promise<string>;
  readonly credentials: () => Promise<AwsCredentials>;
}

/** The adapters of a process. */
export interface Adapters {
  readonly table: Table;
  readonly sender: Sender;
  readonly deadLetters: DeadLetters;
  /** Receipts of a queue, by its name in the kind table. */
  readonly receipts: (queue: string) => Receipts;
  readonly aws: AwsIdentity;
  readonly metrics: Metrics;
}

let provided: Adapters | undefined;

/** Standalone mode's adapters, given before the first handler is loaded; the SDK is then never loaded. */
export const provideAdapters = (adapters: Adapters): void => {
  provided = adapters;
};

/** The adapters of this process. */
export const adaptersFor = async (settings: Settings, log: Log): Promise<Adapters> =>
  provided ?? (await import('./aws-adapters.ts')).awsAdapters(settings, log);
