/** How the command reaches a cluster's API: as whoever calls it, and never as kpackless unless that is all there is. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { assumedRole } from '../../lib/clusters/assumed-role.ts';
import { storedAccess } from '../../lib/clusters/stored-access.ts';
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
  /** As kpackless itself, by what the registration says, and not as whoever calls. */
  readonly asKpackless?: boolean;
}

/** Opens it. @throws PermanentError when nobody says how; ExpectedError */
export type Reach = (way: Way) => Promise<Reached>;

/** All calls of one command, in ms. */
const deadlineMilliseconds = 120_000;

const clock = (): Date => new Date();

/** Those of whoever calls the command. */
const ownCredentials = async (where: Where, region: string) => {
  const { STSClient } = await import('@aws-sdk/client-sts');
  const { clientOptions } = await import('./client-options.ts');
  const sts = new STSClient(clientOptions({ ...where, region }));
  return async () => {
    const { accessKeyId, secretAccessKey, sessionToken } = await sts.config.credentials();
    return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
  };
};

const eksAccess = async (
  { server, caData, eksName, region, roleArn }: Extract<Registration, { readonly access: 'eks' }>,
  where: Where,
  asKpackless: boolean,
): Promise<AccessSource> => {
  const own = await ownCredentials(where, region);
  const credentials =
    asKpackless && roleArn !== undefined ? assumedRole({ roleArn, region, credentials: own, clock }) : own;
  const config = tokenConfig(server, caData, eksToken(eksName, region, credentials));
  return { read: async () => ({ config, mark: eksName }) };
};

const accessOf = async ({
  registration,
  where,
  kubeconfig,
  context,
  asKpackless = false,
}: Way): Promise<AccessSource> => {
  if (asKpackless && registration?.access === 'stored')
    return storedAccess(registration, registration, {
      credentials: await ownCredentials(where, registration.region),
      clock,
    });
  if (kubeconfig !== undefined || context !== undefined)
    return kubeconfigAccess(kubeconfig ?? process.env['KUBECONFIG'] ?? join(homedir(), '.kube', 'config'), context);
  if (registration?.access === 'eks') return eksAccess(registration, where, asKpackless);
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
