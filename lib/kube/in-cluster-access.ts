/** The ServiceAccount of the pod this runs in: its token is replaced by the kubelet hourly, its CA whenever the cluster's is. */
import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { ExpectedError, PermanentError } from '../errors/expected.ts';
import { type AccessSource, accessTo } from './access.ts';

/** Where every pod finds them (Kubernetes: "Accessing the API from within a Pod"). */
const usualFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

/** What a pod is given. */
export interface InClusterOptions {
  readonly folder?: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** How the pod reaches its own cluster. */
export const inClusterAccess = ({
  folder = usualFolder,
  environment = process.env,
}: InClusterOptions = {}): AccessSource => {
  const read = async (name: string): Promise<string> => {
    const content = await readFile(join(folder, name), 'utf8').catch(() => '');
    if (content !== '') return content;
    throw new ExpectedError(
      `cannot read ${join(folder, name)}: a pod needs a ServiceAccount and automountServiceAccountToken`,
      { pace: 'slow' },
    );
  };
  return {
    read: async () => {
      const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = environment;
      if (!host || !port)
        throw new PermanentError(
          'Kubeconfig',
          'this is no pod of a cluster (KUBERNETES_SERVICE_HOST is not set): give a kubeconfig',
        );
      const [token, ca] = await Promise.all([read('token'), read('ca.crt')]);
      const server = `https://${isIPv6(host) ? `[${host}]` : host}:${port}`;
      return accessTo(
        { name: 'cluster', server, caData: Buffer.from(ca).toString('base64'), skipTLSVerify: false },
        { name: 'pod', token: token.trim() },
      );
    },
  };
};
