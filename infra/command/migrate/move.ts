/** How a migration enters its cluster: only one that is named (DESIGN §3.20), as whoever calls the command, with each call bounded and none of them given up for what passes. */
import type { Command } from 'commander';
import { PermanentError } from '../../../lib/errors/expected.ts';
import { type KubeClient, kubeClient } from '../../../lib/kube/client.ts';
import { usualRate } from '../../../lib/kube/pace.ts';
import { Patience } from '../../../lib/kube/patient-transport.ts';
import { askSupport } from '../../../lib/kube/server-version.ts';
import type { KubeTransport } from '../../../lib/kube/transport.ts';
import type { Call } from '../context.ts';

/** Which cluster. */
export interface WayOptions {
  readonly kubeconfig?: string;
  readonly context?: string;
}

/** What every step of a migration is given. */
export interface Move {
  readonly client: KubeClient;
  readonly transport: KubeTransport;
  /** The cluster for people: its context, or the address of its API server. */
  readonly cluster: string;
  readonly clock: () => Date;
  readonly sleep: (milliseconds: number) => Promise<unknown>;
}

/** Options that name it. */
export const addWay = (command: Command): Command =>
  command
    .option(
      '--kubeconfig <file>',
      'a kubeconfig of an administrator of the cluster; KUBECONFIG or ~/.kube/config without',
    )
    .option('--context <name>', 'context of that kubeconfig; its current one without, if --kubeconfig is given');

/** Does `work` in the cluster that is named. @throws PermanentError when none is, or its Kubernetes is not supported; ExpectedError */
export const inCluster = async <T>(call: Call, options: WayOptions, work: (move: Move) => Promise<T>): Promise<T> => {
  const { kubeconfig, context } = options;
  if (kubeconfig === undefined && context === undefined)
    throw new PermanentError(
      'Usage',
      'say which cluster: --context NAME or --kubeconfig FILE. None is taken from the environment alone',
    );
  const reached = await call.reach({ registration: undefined, where: call.where, kubeconfig, context });
  const { clock, sleep } = call;
  const patience = new Patience(usualRate, { clock: () => new Date(), random: Math.random, waited: () => undefined });
  const transport = patience.around(reached.transport);
  try {
    const support = await askSupport(transport);
    if (!support.isSupported) throw new PermanentError('Refused', support.why);
    if (support.note !== undefined) call.output.note(support.note);
    return await work({ client: kubeClient(transport), transport, cluster: context ?? transport.server, clock, sleep });
  } finally {
    reached.close();
  }
};
