/** Kubeconfigs, and addresses with a token, as client-node's KubeConfig. What may change under us is read by kubeconfig-access.ts. */
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { PermanentError } from '../errors/expected.ts';

export type { KubeConfig } from '@kubernetes/client-node';

/** Says which file cannot be read, and no word of it. */
export const unreadable = (path: string, error: unknown): PermanentError => {
  // The parser's own message would quote the file, which holds credentials.
  const why = error instanceof Error && 'code' in error ? String(error.code) : 'it is no YAML of a kubeconfig';
  return new PermanentError('Kubeconfig', `cannot read the kubeconfig ${path}: ${why}`, { cause: error });
};

/** The kubeconfig `text` of `path`, with `context` selected, or its current-context. @throws PermanentError that says what is missing */
export const parseKubeconfig = (text: string, path: string, context?: string): KubeConfig => {
  const config = new KubeConfig();
  try {
    config.loadFromString(text);
  } catch (error) {
    throw unreadable(path, error);
  }
  config.makePathsAbsolute(dirname(path));
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

/** As it is now. @throws PermanentError that says which file or context is missing */
export const kubeconfigFile = (path: string, context?: string): KubeConfig => {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw unreadable(path, error);
  }
  return parseKubeconfig(text, path, context);
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
