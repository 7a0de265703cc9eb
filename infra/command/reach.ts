/** How the command reaches a cluster's API: as whoever calls it, and never as kpackless unless that is all there is. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { PermanentError } from '../../lib/errors/expected.ts';
import type { AccessSource } from '../../lib/kube/access.ts';
import { type KubeClient, kubeClient } from '../../lib/kube/client.ts';
import { eksToken } from '../../lib/kube/eks-token.ts';
import { followedTransport } from '../../lib/kube/followed-transport.ts';
import { tokenConfig } from '../../lib/kube/kubeconfig.ts';
import { kubeconfigAccess } from '../../lib/kube/kubeconfig-access.ts';
import type { KubeTransport } from '../../lib/kube/transport.ts';
import type { Registration } from '../../lib/state/clusters.ts';
import type { Where } from './installation.ts';

/** A cluster's API while a command runs. */
export interface Reached {
  readonly client: KubeClient;
  readonly transport: KubeTransport;
  close(): void;
}

/** Which cluster, and as whom. */
export interface Way {
  readonly registration: Registration | undefined;
  readonly where: Where;
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
}

/** Opens it. @throws PermanentError when nobody says how; ExpectedError */
export type Reach = (way: Way) => Promise<Reached>;

/** All calls of one command, in ms. */
const deadlineMilliseconds = 120_000;

const eksAccess = async (
  { server, caData, eksName, region }: Extract<Registration, { readonly access: 'eks' }>,
  where: Where,
): Promise<AccessSource> => {
  const { STSClient } = await import('@aws-sdk/client-sts');
  const { clientOptions } = await import('./client-options.ts');
  const sts = new STSClient(clientOptions({ ...where, region }));
  const credentials = async () => {
    const { accessKeyId, secretAccessKey, sessionToken } = await sts.config.credentials();
    return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
  };
  const config = tokenConfig(server, caData, eksToken(eksName, region, credentials));
  return { read: async () => ({ config, mark: eksName }) };
};

const accessOf = async ({ registration, where, kubeconfig, context }: Way): Promise<AccessSource> => {
  if (kubeconfig !== undefined || context !== undefined)
    return kubeconfigAccess(kubeconfig ?? process.env['KUBECONFIG'] ?? join(homedir(), '.kube', 'config'), context);
  if (registration?.access === 'eks') return eksAccess(registration, where);
  if (registration?.access === 'kubeconfig') return kubeconfigAccess(registration.path, registration.context);
  throw new PermanentError(
    'Unreachable',
    registration === undefined
      ? 'the cluster is not registered, so give --kubeconfig or --context to say how you reach it'
      : 'the registration does not say how you reach it: give --kubeconfig or --context',
  );
};

/** On the network. */
export const reachCluster: Reach = async (way) => {
  const source = await accessOf(way);
  const transport = followedTransport({ source });
  return {
    transport,
    client: kubeClient(transport, AbortSignal.timeout(deadlineMilliseconds)),
    close: () => transport.close(),
  };
};
