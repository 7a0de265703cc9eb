/** A cluster of several teams at one ECR: what each is granted, and how their objects reach registries. */
import { accountRegistries } from '../../lib/buildpacks/account-registry.ts';
import type { OpenRegistry } from '../../lib/buildpacks/opening.ts';
import type { KubeClient } from '../../lib/kube/client.ts';
import { collectionPath } from '../../lib/kube/resources.ts';
import type { RegistryGrant } from '../../lib/state/clusters.ts';
import { type FakeAws, startFakeAws } from '../support/fake-aws.ts';
import { type FakeCluster, fakeCluster } from '../support/fake-cluster.ts';

/** What a test works with. */
export interface GrantWorld {
  readonly aws: FakeAws;
  readonly cluster: FakeCluster;
  /** The cluster's API as a function of one pass has it. */
  readonly kube: (cluster?: string) => KubeClient;
  readonly open: OpenRegistry;
  /** Puts a ServiceAccount there, with another uid each time. */
  readonly account: (namespace: string, name: string, annotations?: Readonly<Record<string, string>>) => void;
  /** Requests at ECR that carried a token and concern the path, be it as the source of a mount. */
  readonly withToken: (path: string) => readonly string[];
  readonly close: () => Promise<void>;
}

/** `team-a` and `team-b` may write their own, the platform's kinds without namespaces `platform`, and everybody may read what is shared. */
export const teamGrants = (host: string): readonly RegistryGrant[] => [
  { prefix: `${host}/team-a`, access: 'write', namespaces: ['team-a'], clusterScoped: false },
  { prefix: `${host}/team-b`, access: 'write', namespaces: ['team-b'], clusterScoped: false },
  { prefix: `${host}/platform`, access: 'write', namespaces: [], clusterScoped: true },
  { prefix: `${host}/platform/shared`, access: 'read', namespaces: ['*'], clusterScoped: false },
];

/** Starts it; close it after the test. */
export const grantWorld = async (grants = teamGrants): Promise<GrantWorld> => {
  const aws = await startFakeAws();
  const cluster = fakeCluster();
  return {
    aws,
    cluster,
    kube: (name = 'prod') => ({ ...cluster.kube, cluster: name, grants: grants(aws.host) }),
    open: accountRegistries({ retry: { attempts: 1 }, transport: { fetch: aws.fetch } }, aws.cloud),
    account: (namespace, name, annotations = {}) =>
      cluster.put(collectionPath('ServiceAccount', namespace), {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name, namespace, annotations },
      }),
    withToken: (path) =>
      aws.requests
        .filter(({ as, path: asked }) => as !== 'nobody' && decodeURIComponent(asked).includes(path))
        .map(({ as, method, path: asked }) => `${as} ${method} ${asked}`),
    close: () => aws.close(),
  };
};
