/**
 * All ten kinds in one cluster, good and ready, over a registry that answers for every host: what a test then changes by one field. Nothing
 * leaves the machine.
 */
import { reconcileBuilder, reconcileClusterBuilder } from '../../lib/builders/reconcile.ts';
import { reconcileBuildpack, reconcileClusterBuildpack } from '../../lib/buildpackages/reconcile.ts';
import { accountRegistries } from '../../lib/buildpacks/account-registry.ts';
import { configCache } from '../../lib/buildpacks/fetch-image.ts';
import { buildReconciler } from '../../lib/builds/reconcile.ts';
import { registryImages } from '../../lib/builds/registry-images.ts';
import { type RefLister, refLister } from '../../lib/git/list-refs.ts';
import { imageReconciler } from '../../lib/images/reconcile.ts';
import type { KubeObject } from '../../lib/kube/object.ts';
import { collectionPath, objectPath, resourceOf } from '../../lib/kube/resources.ts';
import { reconcileClusterLifecycle } from '../../lib/lifecycles/reconcile.ts';
import type { Reconcilable, Reconciler } from '../../lib/reconcile/reconciler.ts';
import { blobProber } from '../../lib/sources/probe-blob.ts';
import { sourceResolverReconciler } from '../../lib/sources/reconcile.ts';
import { reconcileClusterStack } from '../../lib/stacks/reconcile.ts';
import { reconcileClusterStore } from '../../lib/stores/reconcile.ts';
import { lifecycleLabels, storeBuildpackage, storeDockerImage } from '../support/buildpack-images.ts';
import { cosignKey } from '../support/cosign-key.ts';
import { type FakeCluster, fakeCluster } from '../support/fake-cluster.ts';
import { type FakeRegistry, startFakeRegistry } from '../support/fake-registry.ts';
import { anywhere, openGitWay } from '../support/open-egress.ts';
import { type PassReport, runPass } from '../support/run-pass.ts';
import { contextB } from '../unit/builds/base-build.ts';
import { appFacts, builderFacts, completionMessage, succeededPod } from '../unit/builds/build-world.ts';

/** An object as a test changes it. */
export type AnyObject = KubeObject & Readonly<Record<string, unknown>> & { readonly kind: string };

const namespace = 'team';
/** The name of every object but Secrets. */
const name = 'app';

/** Nobody listens there; whatever names it is refused at once. */
const nobody = '127.0.0.1:1';
const commit = 'c'.repeat(40);
/** An account without keys: opening one takes a tenth of a second. */
const plain = 'plain';
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const secretNames = ['docker', 'basic', 'git', 'ssh', 'cosign', 'slsa', 'blob'] as const;

const secret = (
  secretName: (typeof secretNames)[number],
  type: string,
  data: Readonly<Record<string, string>>,
  annotations: Readonly<Record<string, string>> = {},
): AnyObject => ({
  kind: 'Secret',
  apiVersion: 'v1',
  metadata: { name: secretName, namespace, annotations },
  type,
  data: Object.fromEntries(Object.entries(data).map(([key, text]) => [key, base64(text)])),
});

const sshKey = '-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n';

/** Secrets of every type that is read, and the account that has them. */
const credentials: readonly AnyObject[] = [
  secret('docker', 'kubernetes.io/dockerconfigjson', {
    '.dockerconfigjson': '{"auths":{"r.example":{"auth":"YTpi"}}}',
  }),
  secret('basic', 'kubernetes.io/basic-auth', { username: 'u', password: 'p' }, { 'kpack.io/docker': 'r.example' }),
  secret('git', 'kubernetes.io/basic-auth', { username: 'u', password: 'p' }, { 'kpack.io/git': `http://${nobody}` }),
  secret(
    'ssh',
    'kubernetes.io/ssh-auth',
    { 'ssh-privatekey': sshKey, known_hosts: `${nobody} ssh-rsa AAAA` },
    { 'kpack.io/git': nobody },
  ),
  secret(
    'cosign',
    'Opaque',
    { 'cosign.key': cosignKey('', { N: 32768 }).pem, 'cosign.password': '' },
    { 'kpack.io/cosign.repository': 'r.example/signatures' },
  ),
  secret('slsa', 'Opaque', { 'cosign.key': cosignKey('', { N: 32768 }).pem }, { 'kpack.io/slsa': '1' }),
  secret('blob', 'Opaque', { username: 'u', password: 'p' }, { 'kpack.io/blob': '127.0.0.1' }),
  {
    kind: 'ServiceAccount',
    apiVersion: 'v1',
    metadata: { name, namespace },
    secrets: secretNames.map((one) => ({ name: one })),
    imagePullSecrets: [{ name: 'docker' }],
  },
  { kind: 'ServiceAccount', apiVersion: 'v1', metadata: { name: plain, namespace }, secrets: [{ name: 'docker' }] },
];

const namespaceOf = (kind: string): string => (resourceOf(kind).namespaced ? namespace : '');
const account = { namespace, name: plain };
const object = (kind: string, spec: object, metadata: object = {}): AnyObject => ({
  kind,
  apiVersion: resourceOf(kind).apiVersion,
  metadata: { name, generation: 1, uid: `uid-${kind}`, ...(resourceOf(kind).namespaced && { namespace }), ...metadata },
  spec,
});
const git = { url: `http://${nobody}/a/b.git`, revision: 'main' };
const reallyAsked = refLister(openGitWay, { deadlineSeconds: 2, trustUnknownHosts: true });
/** One repository is there; everything else is asked for as it is. */
const listRefs: RefLister = (ask, signal) =>
  ask.url.path === '/a/b.git' ? Promise.resolve([{ name: 'refs/heads/main', hash: commit }]) : reallyAsked(ask, signal);
const builderSpec = {
  stack: { kind: 'ClusterStack', name },
  store: { kind: 'ClusterStore', name },
  lifecycle: { kind: 'ClusterLifecycle', name },
  order: [{ group: [{ id: 'a', version: '1' }] }],
};
const ownerOf = (kind: string) => [
  { apiVersion: 'kpack.io/v1alpha2', kind, name, uid: `uid-${kind}`, controller: true, blockOwnerDeletion: true },
];

/** The ten kinds, as good as a user writes them. */
const kpackObjects: readonly AnyObject[] = [
  object('ClusterLifecycle', { image: 'r.example/lifecycle:1' }),
  object('ClusterStack', {
    id: 's',
    buildImage: { image: 'r.example/s/build:1' },
    runImage: { image: 'r.example/s/run:1' },
  }),
  object('ClusterStore', { sources: [{ image: 'r.example/bp/a:1' }], serviceAccountRef: account }),
  object('Buildpack', { image: 'r.example/bp/b:1', serviceAccountName: name }),
  object('ClusterBuildpack', { image: 'r.example/bp/c:1', serviceAccountRef: account }),
  object('ClusterBuilder', { tag: 'r.example/builders/cluster', ...builderSpec, serviceAccountRef: account }),
  object('Builder', { tag: 'r.example/builders/app', ...builderSpec, serviceAccountName: plain }),
  object('SourceResolver', { serviceAccountName: name, serviceAccount: name, source: { git } }),
  object('Image', {
    tag: 'r.example/app',
    builder: { kind: 'Builder', name },
    serviceAccountName: name,
    source: { git },
    failedBuildHistoryLimit: 10,
    successBuildHistoryLimit: 10,
    imageTaggingStrategy: 'BuildNumber',
    build: { creationTime: 'now' },
  }),
  object(
    'Build',
    {
      tags: ['r.example/app:1'],
      serviceAccountName: name,
      builder: { image: 'r.example/builder:1', imagePullSecrets: [{ name: 'docker' }] },
      runImage: { image: 'r.example/s/run:1' },
      source: { git: { ...git, revision: commit } },
      cache: {},
      resources: {},
      lastBuild: { image: 'r.example/app:0', stackId: 'S' },
    },
    {
      labels: { 'image.kpack.io/buildNumber': '1', 'image.kpack.io/image': name },
      ownerReferences: ownerOf('Image'),
      annotations: { 'image.kpack.io/reason': 'CONFIG' },
    },
  ),
];

/** Kinds in an order in which each finds what it needs. */
const kindsInOrder = kpackObjects.map(({ kind }) => kind);

const sha256Of = ({ store }: FakeRegistry, repository: string): string =>
  store.repository(repository).tags.get('1') ?? '';

const fillRegistry = (registry: FakeRegistry): void => {
  const user = ['CNB_USER_ID=1000', 'CNB_GROUP_ID=1000'];
  const stack = { 'io.buildpacks.stack.id': 's' };
  storeDockerImage(registry, 's/build:1', { labels: stack, env: user, layers: ['base'] });
  storeDockerImage(registry, 's/run:1', { labels: stack, layers: ['run'] });
  storeDockerImage(registry, 'lifecycle:1', { labels: lifecycleLabels, layers: ['lifecycle'] });
  for (const id of ['a', 'b', 'c']) storeBuildpackage(registry, `bp/${id}:1`, `${id}@1`);
  storeDockerImage(registry, 'builder:1', { labels: builderFacts.labels, env: builderFacts.env, layers: ['b'] });
  for (const tag of ['0', '1']) storeDockerImage(registry, `app:${tag}`, { labels: appFacts.labels, layers: ['app'] });
};

/** The Build has no pod yet; its pod has ended and it does not know; it has ended itself. */
export type Stage = 'ended' | 'fresh' | 'ran';

/** A cluster and everything that reconciles it. */
export interface AnyWorld extends AsyncDisposable {
  readonly registry: FakeRegistry;
  /** Every object, as it is when all is well, at different times. */
  readonly stages: Readonly<Record<Stage, readonly AnyObject[]>>;
  /** A cluster of these objects. */
  readonly clusterOf: (objects: readonly AnyObject[]) => FakeCluster;
  /** One pass of the object of that kind. @throws what is a bug */
  readonly pass: (cluster: FakeCluster, kind: string) => Promise<PassReport>;
  /** What the object of that kind says. */
  readonly statusOf: (cluster: FakeCluster, kind: string) => unknown;
}

/** The world; all kinds have been reconciled in it. */
export const anyWorld = async (): Promise<AnyWorld> => {
  const registry = await startFakeRegistry();
  fillRegistry(registry);
  const registryFor = accountRegistries({
    retry: { attempts: 1 },
    transport: {
      fetch: (url, init) => fetch(new URL(`${url.pathname}${url.search}`, `http://${registry.host}`), init),
    },
  });
  const ports = { registryFor, configs: configCache(), pollSeconds: 300, creatorVersion: 'v1' };
  const { programs, settings } = contextB();
  const nothing = () => Promise.resolve();
  const attest = {
    systemAccount: { namespace: 'system', name: 'system' },
    internalParameters: {},
    release: 'v1',
    registryFor,
  };
  const reconcilers = new Map<string, (cluster: FakeCluster) => Promise<PassReport>>();
  const add = <T extends Reconcilable>(reconciler: Reconciler<T>): void => {
    const { kind } = reconciler;
    const key = { kind, namespace: namespaceOf(kind), name };
    reconcilers.set(kind, ({ kube }) => runPass(reconciler, { ...kube }, key));
  };
  add(reconcileBuilder(ports));
  add(reconcileClusterBuilder(ports));
  add(reconcileBuildpack(ports));
  add(reconcileClusterBuildpack(ports));
  add(reconcileClusterStore(ports));
  add(reconcileClusterStack(ports));
  add(reconcileClusterLifecycle(ports));
  add(imageReconciler({ priorityClasses: true }));
  add(buildReconciler({ images: registryImages(registryFor), programs, settings, attest }));
  add(
    sourceResolverReconciler({
      listRefs,
      hosts: {
        admit: () => Promise.resolve({ admitted: true }),
        failed: nothing,
        succeeded: nothing,
        unused: nothing,
      },
      pages: { askedAt: () => Promise.resolve(undefined) },
      polls: {
        read: () => Promise.resolve(undefined),
        entry: () => Promise.resolve(undefined),
        watch: () => Promise.resolve('watched' as const),
      },
      settings: { intervalSeconds: 60 },
      probeBlob: blobProber(anywhere),
      registryFor,
    }),
  );

  const clusterOf = (objects: readonly AnyObject[]): FakeCluster => {
    const cluster = fakeCluster();
    for (const one of objects) cluster.put(collectionPath(one.kind, one.metadata?.namespace ?? ''), one);
    return cluster;
  };
  const pass = async (cluster: FakeCluster, kind: string): Promise<PassReport> => {
    const run = reconcilers.get(kind);
    if (run === undefined) throw new Error(`no reconciler for ${kind}`);
    return run(cluster);
  };

  const cluster = clusterOf([...credentials, ...kpackObjects]);
  for (const kind of kindsInOrder) await pass(cluster, kind);
  const pathOf = ({ kind, metadata = {} }: KubeObject) =>
    objectPath(kind ?? '', metadata.namespace ?? '', metadata.name ?? '');
  const now = (objects: readonly AnyObject[]): readonly AnyObject[] =>
    objects.map((one): AnyObject => ({ ...one, ...cluster.at(pathOf(one)), kind: one.kind }));
  const pod: AnyObject = { kind: 'Pod', metadata: { name: `${name}-build-pod`, namespace } };
  const fresh = [...credentials, ...now(kpackObjects)];
  const latestImage = `r.example/app@${sha256Of(registry, 'app')}`;
  cluster.put(collectionPath('Pod', namespace), {
    ...now([pod])[0],
    status: succeededPod(completionMessage({ latestImage })),
  } as KubeObject);
  const ran = [...fresh, ...now([pod])];
  await pass(cluster, 'Build');
  await pass(cluster, 'Image');
  return {
    registry,
    stages: { fresh, ran, ended: [...credentials, ...now([...kpackObjects, pod])] },
    clusterOf,
    pass,
    statusOf: (where, kind) => where.at(objectPath(kind, namespaceOf(kind), name)).status,
    [Symbol.asyncDispose]: () => registry.close(),
  };
};
