/** What the measures need: a real API server and two real registries on loopback, kpackless' definitions, and who it is there. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { binaryPath } from '../../infra/local/cluster/binaries.ts';
import { writeKubeconfig } from '../../infra/local/cluster/kubeconfig.ts';
import { PROGRAMS, type ProgramName } from '../../infra/local/cluster/programs.ts';
import { defaultCacheDir, type StateLayout } from '../../infra/local/cluster/state.ts';
import { pushSampleImages, type SampleImages } from '../../infra/local/images/sample-set.ts';
import { install } from '../../infra/local/install.ts';
import { type KubeClient, kubeClient } from '../../lib/kube/client.ts';
import { kubeconfigFile } from '../../lib/kube/kubeconfig.ts';
import { type KubeTransport, kubeTransport } from '../../lib/kube/transport.ts';
import { type ApiServer, type ApiServerOptions, startApiServer } from '../support/api-server.ts';
import { AuditLog } from './audit.ts';
import { type BenchRegistry, startRegistry } from './registry.ts';

/** Everything that is up. */
export interface World {
  readonly folder: string;
  /** As administrator: the user of the measures. */
  readonly transport: KubeTransport;
  readonly kube: KubeClient;
  /** Where sources of images are. */
  readonly registry: BenchRegistry;
  /** Where builders and apps go when that is to be another host. */
  readonly otherRegistry: BenchRegistry;
  readonly images: SampleImages;
  /** kpackless' own, with its own permissions. */
  readonly kubeconfig: string;
  /** Of whoever administers the cluster. */
  readonly administrator: string;
  /** Of an account that is in namespace kpack. */
  kubeconfigOf(account: string): Promise<string>;
  /** Processes of the API server, to see what they cost. */
  readonly pids: { readonly apiServer: number; readonly etcd: number };
  audit(): AuditLog;
  /** Stops the API server and starts it again after so long; resolves when it is ready. */
  restartApiServer(awaySeconds: number): Promise<void>;
  stop(): Promise<void>;
}

/** The user that kpackless is in the audit log. */
export const ownUser = 'system:serviceaccount:kpack:kpackless';

const compiled = (name: ProgramName): string => {
  const program = PROGRAMS.find((candidate) => candidate.name === name);
  if (program === undefined) throw new Error(`${name} is not among the programs of the local cluster`);
  return binaryPath(defaultCacheDir(), program);
};

/** A kubeconfig of an account of ours. Nobody fills token Secrets where there is no controller manager, so the token is asked for. */
const writeKubeconfigOf = async ({ api, url, pki }: ApiServer, account: string, path: string): Promise<void> => {
  const answer = (await api.send('POST', `/api/v1/namespaces/kpack/serviceaccounts/${account}/token`, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: 24 * 3600 },
  })) as { readonly status: { readonly token: string } };
  const ca = readFileSync(pki.ca.cert).toString('base64');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': account,
    clusters: [{ name: 'cluster', cluster: { server: url, 'certificate-authority-data': ca } }],
    users: [{ name: account, user: { token: answer.status.token } }],
    contexts: [{ name: account, context: { cluster: 'cluster', user: account } }],
  };
  writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
};

const pidOf = ({ pids }: StateLayout, name: string): number =>
  (JSON.parse(readFileSync(join(pids, `${name}.json`), 'utf8')) as { readonly pid: number }).pid;

/** Brings it up, in about fifteen seconds; `stop` leaves nothing behind. */
export const startWorld = async (options: ApiServerOptions = {}): Promise<World> => {
  const server = await startApiServer(options);
  const undo: (() => Promise<void>)[] = [() => server.stop()];
  const stop = async (): Promise<void> => {
    for (const step of undo.splice(0).toReversed()) await step();
  };
  try {
    const { layout, pki, url } = server;
    const registry = await startRegistry(layout, 'registry');
    undo.push(() => registry.stop());
    const otherRegistry = await startRegistry(layout, 'other-registry');
    undo.push(() => otherRegistry.stop());
    writeKubeconfig(layout.kubeconfig, url, pki.ca, pki.admin);
    const transport = kubeTransport(kubeconfigFile(layout.kubeconfig));
    undo.push(async () => transport.close());
    const kube = kubeClient(transport);
    await install(kube, { tenantEverywhere: true });
    await kube.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'sample' } });
    const kubeconfigOf = async (account: string): Promise<string> => {
      const path = join(layout.root, `${account}.kubeconfig`);
      await writeKubeconfigOf(server, account, path);
      return path;
    };
    const kubeconfig = await kubeconfigOf('kpackless');
    const images = await pushSampleImages(registry.host, {
      lifecycle: compiled('lifecycle'),
      launcher: compiled('launcher'),
    });
    return {
      folder: layout.root,
      transport,
      kube,
      registry,
      otherRegistry,
      images,
      kubeconfig,
      administrator: layout.kubeconfig,
      kubeconfigOf,
      // Asked for anew: a restart is another process.
      get pids() {
        return { apiServer: pidOf(layout, 'kube-apiserver'), etcd: pidOf(layout, 'etcd') };
      },
      audit: () => new AuditLog(layout.auditLog),
      restartApiServer: (awaySeconds) => server.restart(awaySeconds),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
};
