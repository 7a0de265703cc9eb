/** From a cluster's registration to its API, one transport a cluster and process. */
import { ExpectedError } from '../errors/expected.ts';
import { networkCause } from '../errors/network-cause.ts';
import { type KubeClient, kubeClient } from '../kube/client.ts';
import { type AwsCredentials, eksToken } from '../kube/eks-token.ts';
import { inClusterConfig, kubeconfigFile, tokenConfig } from '../kube/kubeconfig.ts';
import { type KubeTransport, kubeTransport } from '../kube/transport.ts';
import type { Clusters, Registration } from '../state/clusters.ts';
import { assumedRole } from './assumed-role.ts';

/** Opens transports of registered clusters and keeps them. */
export interface ClusterConnections {
  transport(cluster: string): Promise<KubeTransport>;
  client(cluster: string, signal: AbortSignal): Promise<KubeClient>;
}

/** A function instance serves a bounded number of clusters at a time; the one used longest ago is closed first. */
const maxOpen = 50;

/** An open connection. */
interface Connection {
  readonly transport: KubeTransport;
  readonly ecrRoles: readonly string[];
}

const open = (registration: Registration, credentials: () => Promise<AwsCredentials>): KubeTransport => {
  switch (registration.access) {
    case 'kubeconfig':
      return kubeTransport(kubeconfigFile(registration.path, registration.context));
    case 'in-cluster':
      return kubeTransport(inClusterConfig());
    case 'eks': {
      const { server, caData, eksName, region, roleArn } = registration;
      const identity = roleArn === undefined ? credentials : assumedRole({ roleArn, region, credentials });
      return kubeTransport(tokenConfig(server, caData, eksToken(eksName, region, identity)));
    }
  }
};

/** Connections by registration; `credentials` are those of the function's role, asked for only by EKS clusters. */
export const clusterConnections = (
  clusters: Pick<Clusters, 'registration'>,
  credentials: () => Promise<AwsCredentials>,
): ClusterConnections => {
  const opened = new Map<string, Promise<Connection>>();

  const connect = async (cluster: string): Promise<Connection> => {
    const registration = await clusters.registration(cluster);
    if (registration === undefined)
      throw new ExpectedError(
        `cluster ${cluster} is not registered: register it, or remove what still sends its events`,
        {
          pace: 'slow',
        },
      );
    try {
      const ecrRoles = registration.access === 'eks' ? (registration.ecrRoles ?? []) : [];
      return { transport: open(registration, credentials), ecrRoles };
    } catch (cause) {
      throw new ExpectedError(`cluster ${cluster} cannot be connected to: ${networkCause(cause)}`, {
        pace: 'slow',
        cause,
      });
    }
  };

  const connection = (cluster: string): Promise<Connection> => {
    const known = opened.get(cluster) ?? connect(cluster);
    opened.delete(cluster);
    opened.set(cluster, known);
    known.catch(() => opened.delete(cluster));
    if (opened.size > maxOpen) {
      const [oldest] = opened.keys();
      if (oldest !== undefined) {
        void opened.get(oldest)?.then(({ transport }) => transport.close());
        opened.delete(oldest);
      }
    }
    return known;
  };

  return {
    transport: async (cluster) => (await connection(cluster)).transport,
    client: async (cluster, signal) => {
      const { transport, ecrRoles } = await connection(cluster);
      return { ...kubeClient(transport, signal), ecrRoles };
    },
  };
};
