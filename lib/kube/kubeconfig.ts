/** Where a cluster's address and credentials come from. The only other importer of client-node is transport.ts. */
import { KubeConfig } from '@kubernetes/client-node';
import { PermanentError } from '../errors/expected.ts';

export type { KubeConfig } from '@kubernetes/client-node';

/** Reads `path` and selects `context`, or its current-context. @throws PermanentError that says which file or context is missing. */
export const kubeconfigFile = (path: string, context?: string): KubeConfig => {
  const config = new KubeConfig();
  try {
    config.loadFromFile(path);
  } catch (error) {
    // The parser's own message would quote the file, which holds credentials.
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'it is no YAML of a kubeconfig';
    throw new PermanentError('Kubeconfig', `cannot read the kubeconfig ${path}: ${why}`, { cause: error });
  }
  if (context !== undefined) {
    if (config.getContextObject(context) === null) {
      const known = config.getContexts().map(({ name }) => name);
      throw new PermanentError(
        'Kubeconfig',
        `the kubeconfig ${path} has no context ${context}; it has ${known.join(', ') || 'none'}`,
      );
    }
    config.setCurrentContext(context);
  }
  return config;
};

/** The service account of the pod this runs in: how the relay reaches its own cluster. */
export const inClusterConfig = (): KubeConfig => {
  const config = new KubeConfig();
  config.loadFromCluster();
  return config;
};

/** Address and CA of a registered cluster with a bearer token that is asked for at each request (EKS: eks-token.ts). */
export const tokenConfig = (server: string, caData: string, token: () => Promise<string>): KubeConfig => {
  const config = new KubeConfig();
  config.addAuthenticator({
    isAuthProvider: (user) => user.name === 'kpackless',
    applyAuthentication: async (_user, options: object) => {
      Object.assign(options, { headers: { Authorization: `Bearer ${await token()}` } });
    },
  });
  config.loadFromOptions({
    clusters: [{ name: 'cluster', server, caData, skipTLSVerify: false }],
    users: [{ name: 'kpackless' }],
    contexts: [{ name: 'context', cluster: 'cluster', user: 'kpackless' }],
    currentContext: 'context',
  });
  return config;
};
