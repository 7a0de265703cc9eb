/** What a builder is made of, read from the cluster; of several things missing the one is reported that kpack finds first (spec 04 §3). */

import type { Buildpack } from '../api/buildpack.ts';
import type { ClusterBuildpack } from '../api/cluster-buildpack.ts';
import type { ClusterLifecycle } from '../api/cluster-lifecycle.ts';
import type { ClusterStack } from '../api/cluster-stack.ts';
import type { ClusterStore } from '../api/cluster-store.ts';
import { lifecycleNameOf } from '../api/defaults.ts';
import type { BuilderExtensionOrderEntry, BuilderOrderEntry } from '../api/order.ts';
import { type Account, type Catalogue, catalogueOf } from '../buildpacks/offers.ts';
import { PermanentError } from '../errors/expected.ts';
import type { KubeClient } from '../kube/client.ts';
import type { KubeObject } from '../kube/object.ts';
import { isTrue } from '../reconcile/conditions.ts';
import type { Dependency } from '../state/keys.ts';
import type { BuilderIdentity } from './target.ts';

/** The spec fields Builder and ClusterBuilder share. */
export interface SharedBuilderSpec {
  readonly tag: string;
  readonly stack: { readonly name?: string | undefined };
  readonly store?: { readonly name?: string | undefined } | undefined;
  readonly lifecycle?: { readonly name?: string | undefined } | undefined;
  readonly order?: readonly BuilderOrderEntry[] | undefined;
  readonly orderExtensions?: readonly BuilderExtensionOrderEntry[] | undefined;
  readonly additionalLabels?: Readonly<Record<string, string>> | undefined;
}

/** The objects a builder depends on, all there and ready. */
export interface BuilderInputs {
  readonly stack: ClusterStack;
  readonly lifecycle: ClusterLifecycle;
  readonly store: ClusterStore | undefined;
  readonly catalogue: Catalogue;
  /** The same of image extensions. */
  readonly extensions: Catalogue;
}

const clusterScoped = (kind: string, name: string): Dependency => ({ kind, namespace: '', name });

/** Everything whose change may change the builder: written down before any of it is read. */
export const dependenciesOf = (
  spec: SharedBuilderSpec,
  { kind, namespace }: BuilderIdentity,
  account: Account,
): readonly Dependency[] => [
  clusterScoped('ClusterStack', spec.stack.name ?? ''),
  clusterScoped('ClusterLifecycle', lifecycleNameOf(spec)),
  ...(spec.store?.name ? [clusterScoped('ClusterStore', spec.store.name)] : []),
  ...(kind === 'Builder' ? [{ kind: 'Buildpack', namespace, name: '*' }] : []),
  clusterScoped('ClusterBuildpack', '*'),
  { kind: 'ServiceAccount', namespace: account.namespace, name: account.serviceAccount },
];

const refuse = (message: string): never => {
  throw new PermanentError('ReconcileFailed', message);
};

const notFound = (kind: string, name: string): never =>
  refuse(`${kind.toLowerCase()}.kpack.io ${JSON.stringify(name)} not found`);

/** Throws PermanentError when an object is missing or not ready, KubeError when the API cannot be read. */
export const readInputs = async (
  kube: KubeClient,
  spec: SharedBuilderSpec,
  { kind, namespace }: BuilderIdentity,
  account: Account,
): Promise<BuilderInputs> => {
  const [storeName = '', stackName = '', lifecycleName] = [spec.store?.name, spec.stack.name, lifecycleNameOf(spec)];
  /** An object without a name is none; its path would be that of the whole collection. */
  const read = async <T extends KubeObject>(theirKind: string, name: string, where = ''): Promise<T | undefined> =>
    name === '' ? undefined : kube.get<T>({ kind: theirKind, namespace: where, name });
  const [store, stack, lifecycle, buildpacks, clusterBuildpacks, serviceAccount] = await Promise.all([
    read<ClusterStore>('ClusterStore', storeName),
    read<ClusterStack>('ClusterStack', stackName),
    read<ClusterLifecycle>('ClusterLifecycle', lifecycleName),
    kind === 'Builder' ? kube.list<Buildpack>('Buildpack', { namespace }) : [],
    kube.list<ClusterBuildpack>('ClusterBuildpack'),
    read('ServiceAccount', account.serviceAccount, account.namespace),
  ]);
  if (storeName !== '' && store === undefined) notFound('ClusterStore', storeName);
  if (stack === undefined) return notFound('ClusterStack', stackName);
  if (!isTrue(stack, 'Ready')) {
    refuse(kind === 'Builder' ? `Error: clusterstack '${stackName}' is not ready` : `stack ${stackName} is not ready`);
  }
  if (lifecycle === undefined) return notFound('ClusterLifecycle', lifecycleName);
  if (!isTrue(lifecycle, 'Ready')) refuse(`Error: clusterlifecycle '${lifecycleName}' is not ready`);
  if (serviceAccount === undefined) refuse(`serviceaccounts ${JSON.stringify(account.serviceAccount)} not found`);
  return {
    stack,
    lifecycle,
    store,
    catalogue: catalogueOf(buildpacks, clusterBuildpacks, store),
    extensions: catalogueOf(buildpacks, clusterBuildpacks, store, 'extensions'),
  };
};
