/** A fake cluster beside a fake registry, and the reconcilers of everything a builder is made of. */
import { setTimeout } from 'node:timers/promises';
import { reconcileBuilder, reconcileClusterBuilder } from '../../lib/builders/reconcile.ts';
import { reconcileBuildpack, reconcileClusterBuildpack } from '../../lib/buildpackages/reconcile.ts';
import { accountRegistries } from '../../lib/buildpacks/account-registry.ts';
import { configCache } from '../../lib/buildpacks/fetch-image.ts';
import type { Account } from '../../lib/buildpacks/offers.ts';
import type { Opening } from '../../lib/buildpacks/opening.ts';
import type { KubeClient } from '../../lib/kube/client.ts';
import type { KubeMeta, KubeObject } from '../../lib/kube/object.ts';
import { collectionPath, objectPath, resourceOf } from '../../lib/kube/resources.ts';
import { reconcileClusterLifecycle } from '../../lib/lifecycles/reconcile.ts';
import type { Registry } from '../../lib/oci/registry.ts';
import type { Reconcilable, Reconciler } from '../../lib/reconcile/reconciler.ts';
import { reconcileClusterStack } from '../../lib/stacks/reconcile.ts';
import { reconcileClusterStore } from '../../lib/stores/reconcile.ts';
import { type FakeCluster, fakeCluster } from './fake-cluster.ts';
import { type FakeRegistry, type FakeRegistryOptions, startFakeRegistry } from './fake-registry.ts';
import { openTransport } from './open-egress.ts';
import { type PassReport, type PassSetting, runPass } from './run-pass.ts';

/** A status as tests look at it. */
export interface ReadStatus extends Readonly<Record<string, unknown>> {
  readonly conditions: readonly {
    readonly type: string;
    readonly status: string;
    readonly reason?: string;
    readonly message?: string;
  }[];
  readonly latestImage?: string;
}

/** What a test works with. Namespaced objects are in `ns`. */
export interface BuilderWorld {
  readonly registry: FakeRegistry;
  readonly cluster: FakeCluster;
  /** Accounts that registries were opened for. */
  readonly accounts: readonly Account[];
  /** Creates the object, or puts it back to this spec with the next generation. */
  readonly put: (kind: string, name: string, more?: Readonly<Record<string, unknown>>, metadata?: KubeMeta) => void;
  readonly reconcile: (kind: string, name: string, setting?: PassSetting) => Promise<PassReport>;
  readonly status: (kind: string, name: string) => ReadStatus;
  /** Passes are those of another release from now on. */
  readonly release: (creatorVersion: string) => void;
}

/** The namespace of everything that has one. */
const worldNamespace = 'ns';

const namespaceFor = (kind: string): string => (resourceOf(kind).namespaced ? worldNamespace : '');

/** How slow uploads are. */
interface UploadSpeed {
  /** Every upload takes so long, whatever the budget says. */
  readonly uploadMs?: number;
  /** Request bodies are taken at this rate. */
  readonly bytesPerSecond?: number;
  /** Size of pieces in bytes, where blobs go in pieces. */
  readonly chunkBytes?: number;
}

/** A fetch that waits as long as a slow line would take for the body. */
const throttled =
  (bytesPerSecond: number): typeof globalThis.fetch =>
  async (input, init = {}) => {
    const bytes = Number(new Headers(init.headers).get('content-length') ?? 0);
    if (bytes > 0)
      await setTimeout((bytes / bytesPerSecond) * 1000, undefined, init.signal ? { signal: init.signal } : {});
    return fetch(input, init);
  };

/** An empty world; `close` the registry after the test. */
export const builderWorld = async (
  options: FakeRegistryOptions = {},
  { uploadMs = 0, bytesPerSecond, chunkBytes }: UploadSpeed = {},
): Promise<BuilderWorld> => {
  const registry = await startFakeRegistry(options);
  const cluster = fakeCluster();
  const accounts: Account[] = [];
  const open = accountRegistries({
    retry: { attempts: 1 },
    chunkBytes,
    transport: bytesPerSecond === undefined ? openTransport : { fetch: throttled(bytesPerSecond) },
  });
  // Each pass has a client of its own, and with it its own look at the Secrets.
  const ports = {
    registryFor: async (kube: KubeClient, account: Account, opening: Opening) => {
      accounts.push(account);
      const opened = await open({ ...kube }, account, opening);
      const slow: Registry['pushBlob'] = async (repository, blob) => {
        await setTimeout(uploadMs);
        return opened.pushBlob(repository, blob);
      };
      return uploadMs === 0 ? opened : { ...opened, pushBlob: slow };
    },
    configs: configCache(),
    pollSeconds: 300,
    creatorVersion: 'v1.2.3 (git sha: abc)',
  };
  const runner =
    <T extends Reconcilable>(reconciler: Reconciler<T>) =>
    (name: string, setting: PassSetting) =>
      runPass(
        reconciler,
        cluster.kube,
        { kind: reconciler.kind, namespace: namespaceFor(reconciler.kind), name },
        setting,
      );
  const runners: Readonly<Record<string, ReturnType<typeof runner>>> = {
    Builder: runner(reconcileBuilder(ports)),
    ClusterBuilder: runner(reconcileClusterBuilder(ports)),
    Buildpack: runner(reconcileBuildpack(ports)),
    ClusterBuildpack: runner(reconcileClusterBuildpack(ports)),
    ClusterStore: runner(reconcileClusterStore(ports)),
    ClusterStack: runner(reconcileClusterStack(ports)),
    ClusterLifecycle: runner(reconcileClusterLifecycle(ports)),
  };
  let generation = 0;
  return {
    registry,
    cluster,
    accounts,
    put: (kind, name, more = {}, metadata = {}) => {
      generation += 1;
      const namespace = namespaceFor(kind);
      const path = objectPath(kind, namespace, name);
      const { status } = cluster.has(path) ? cluster.at(path) : {};
      const object: KubeObject & { readonly status?: unknown } = {
        ...more,
        apiVersion: resourceOf(kind).apiVersion,
        kind,
        metadata: { ...metadata, name, generation, ...(namespace !== '' && { namespace }) },
        ...(status !== undefined && { status }),
      };
      cluster.put(collectionPath(kind, namespace), object);
    },
    reconcile: (kind, name, setting = {}) => {
      const run = runners[kind];
      if (run === undefined) throw new Error(`no reconciler for ${kind}`);
      return run(name, setting);
    },
    status: (kind, name) => cluster.at(objectPath(kind, namespaceFor(kind), name)).status as ReadStatus,
    release: (creatorVersion) => {
      ports.creatorVersion = creatorVersion;
    },
  };
};
