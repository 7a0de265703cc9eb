/** Point 1 of the threat model: whatever image name a tenant writes, it is entered with nobody's identity but what its namespace was granted. */
import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BuildSpec } from '../../lib/api/build.ts';
import { reconcileBuilder, reconcileClusterBuilder } from '../../lib/builders/reconcile.ts';
import { reconcileBuildpack } from '../../lib/buildpackages/reconcile.ts';
import { configCache } from '../../lib/buildpacks/fetch-image.ts';
import { accountOf } from '../../lib/builds/inputs/builder-of.ts';
import { rebaseInRegistry } from '../../lib/builds/rebase.ts';
import { registryImages } from '../../lib/builds/registry-images.ts';
import { collectionPath, resourceOf } from '../../lib/kube/resources.ts';
import { reconcileClusterLifecycle } from '../../lib/lifecycles/reconcile.ts';
import { digestOf } from '../../lib/oci/digest.ts';
import { parseReference, parseRepository, withDigest } from '../../lib/oci/reference.ts';
import { settled } from '../../lib/reconcile/outcome.ts';
import type { Reconcilable, Reconciler } from '../../lib/reconcile/reconciler.ts';
import { pushAttestation } from '../../lib/signing/attestation.ts';
import { followImage } from '../../lib/sources/follow-source.ts';
import { reconcileClusterStack } from '../../lib/stacks/reconcile.ts';
import { reconcileClusterStore } from '../../lib/stores/reconcile.ts';
import { diffIdOf, lifecycleLabels, storeBuildpackage, storeDockerImage } from '../support/buildpack-images.ts';
import { functionKey } from '../support/fake-aws.ts';
import { runPass } from '../support/run-pass.ts';
import { buildB, contextB } from '../unit/builds/base-build.ts';
import { type GrantWorld, grantWorld } from './grant-world.ts';

const stackLabels = { 'io.buildpacks.stack.id': 'S' };
const user = ['CNB_USER_ID=4000', 'CNB_GROUP_ID=3000'];

describe('a tenant that names an image of others', () => {
  let world: GrantWorld;
  let secret: string;

  const at = (path: string): string => `${world.aws.host}/${path}`;
  const ports = () => ({
    registryFor: world.open,
    configs: configCache(),
    pollSeconds: 300,
    creatorVersion: 'v1 (git sha: abc)',
  });
  const images = () => registryImages(world.open);
  const call = () => ({
    cluster: 'prod',
    kube: world.kube(),
    signal: AbortSignal.timeout(10_000),
    attempts: 0,
    now: new Date('2026-11-21T09:00:00Z'),
  });
  const build = (spec: Partial<BuildSpec> = {}) =>
    buildB(
      { serviceAccountName: 'default', builder: { image: at('team-a/builder') }, ...spec },
      { namespace: 'team-a' },
    );
  const put = (kind: string, name: string, spec: object, namespace = ''): void =>
    world.cluster.put(collectionPath(kind, namespace), {
      apiVersion: resourceOf(kind).apiVersion,
      kind,
      metadata: { name, generation: 1, ...(namespace !== '' && { namespace }) },
      spec,
    } as object);
  /** A pass for the object, and what its condition then says. */
  const pass = async <T extends Reconcilable>(reconciler: Reconciler<T>, name: string, namespace = '') => {
    const { outcome } = await runPass(reconciler, world.kube(), { kind: reconciler.kind, namespace, name });
    return outcome instanceof Error ? outcome.message : outcome;
  };
  const lifecycleMetadata = (topLayer: string) => ({
    'io.buildpacks.lifecycle.metadata': JSON.stringify({
      app: [],
      runImage: { topLayer: diffIdOf(topLayer), reference: 'run' },
      stack: { runImage: { image: 'run' } },
    }),
  });
  const app = (path: string, layer: string): string =>
    storeDockerImage(world.aws.registry, `${path}:1`, {
      labels: { ...stackLabels, ...lifecycleMetadata('old run') },
      layers: ['old run', layer],
    });
  const rebase = async (spec: Partial<BuildSpec>, runImage: string) => {
    const context = contextB({ builder: { runImage }, secrets: [] });
    return rebaseInRegistry(build({ ...spec, runImage: { image: runImage } }), context, images(), call());
  };
  const tagsOf = (path: string): readonly string[] => [...world.aws.registry.store.repository(path).tags.keys()];
  const blobsOf = (path: string): readonly string[] => [...world.aws.registry.store.repository(path).blobs.keys()];

  beforeEach(async () => {
    world = await grantWorld();
    for (const namespace of ['team-a', 'team-b', 'kpack']) world.account(namespace, 'default');
    const { registry } = world.aws;
    secret = storeDockerImage(registry, 'team-b/private:1', { labels: stackLabels, layers: ['secret of team b'] });
    storeDockerImage(registry, 'team-a/run:1', { labels: stackLabels, layers: ['new run'] });
    storeDockerImage(registry, 'platform/shared/build:1', { labels: stackLabels, env: user, layers: ['base'] });
    storeDockerImage(registry, 'platform/shared/run:1', { labels: stackLabels, layers: ['run'] });
    storeDockerImage(registry, 'platform/shared/lifecycle:1', { labels: lifecycleLabels, layers: ['lifecycle'] });
    storeBuildpackage(registry, 'platform/shared/bp:1', 'a@1');
  });
  afterEach(() => world.close());

  const platform = async (): Promise<void> => {
    const image = (name: string) => ({ image: at(`platform/shared/${name}:1`) });
    put('ClusterStack', 'stack', { id: 'S', buildImage: image('build'), runImage: image('run') });
    put('ClusterLifecycle', 'default-lifecycle', image('lifecycle'));
    put('ClusterStore', 'store', { sources: [image('bp')] });
    await pass(reconcileClusterStack(ports()), 'stack');
    await pass(reconcileClusterLifecycle(ports()), 'default-lifecycle');
    await pass(reconcileClusterStore(ports()), 'store');
  };
  const builderSpec = (tag: string) => ({
    tag: at(tag),
    stack: { kind: 'ClusterStack', name: 'stack' },
    store: { kind: 'ClusterStore', name: 'store' },
    order: [{ group: [{ id: 'a' }] }],
    serviceAccountName: 'default',
    serviceAccountRef: { namespace: 'kpack', name: 'default' },
  });
  const follower = (): Reconciler<Reconcilable> => ({
    kind: 'SourceResolver',
    reconcile: async (object, inPass) => {
      const { image } = (object as unknown as { readonly spec: { readonly image: string } }).spec;
      const looks = { registryFor: world.open, probeBlob: () => Promise.reject(new Error('no blob here')) };
      await followImage(looks, { ...object, spec: { serviceAccount: 'default' } } as never, { image }, 60, inPass);
      return settled;
    },
  });

  it('does what its namespace is granted: builds builders of shared parts, follows, rebases and signs its own', async () => {
    await platform();
    put('Builder', 'mine', builderSpec('team-a/builder'), 'team-a');
    expect(await pass(reconcileBuilder(ports()), 'mine', 'team-a')).toEqual(settled);
    expect(tagsOf('team-a/builder')).toContain('builder-team-a-mine');
    const last = app('team-a/app', 'app layer');
    const made = await rebase(
      { lastBuild: { image: at(`team-a/app@${last}`) }, tags: [at('team-a/app')] },
      at('team-a/run:1'),
    );
    expect(made).toMatchObject({ latestImage: expect.stringMatching(/team-a\/app@sha256:/) as string });
    const writes = world.aws.requests.filter(({ method }) => method !== 'GET' && method !== 'HEAD');
    expect(new Set(writes.map(({ as }) => as))).toEqual(new Set([functionKey]));
  });

  const attacks: Readonly<Record<string, (path: string) => Promise<unknown>>> = {
    'as the source to follow': async (path) => {
      put('SourceResolver', 'spy', { image: at(path) }, 'team-a');
      return pass(follower(), 'spy', 'team-a');
    },
    'as a Buildpack': async (path) => {
      put('Buildpack', 'spy', { image: at(path), serviceAccountName: 'default' }, 'team-a');
      return pass(reconcileBuildpack(ports()), 'spy', 'team-a');
    },
    'as a Buildpack without an account': async (path) => {
      put('Buildpack', 'spy', { image: at(path) }, 'team-a');
      return pass(reconcileBuildpack(ports()), 'spy', 'team-a');
    },
    'as the builder image of a Build': (path) =>
      images().read(at(path), accountOf(build({ builder: { image: at(path) } })), call()),
    'as the run image of a rebase': async (path) => {
      const last = app('team-a/app', 'app layer');
      return rebase({ lastBuild: { image: at(`team-a/app@${last}`) }, tags: [at('team-a/app')] }, at(path));
    },
    'as the last image of a Build with reason STACK': (path) =>
      rebase({ lastBuild: { image: at(path) }, tags: [at('team-a/loot')] }, at('team-a/run:1')),
    'as the tag of a rebase': async (path) => {
      const last = app('team-a/app', 'app layer');
      return rebase({ lastBuild: { image: at(`team-a/app@${last}`) }, tags: [at(path)] }, at('team-a/run:1'));
    },
    'as the tag of a Builder': async (path) => {
      await platform();
      put('Builder', 'spy', builderSpec(path), 'team-a');
      return pass(reconcileBuilder(ports()), 'spy', 'team-a');
    },
    'as the repository of a signature': (path) => {
      const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const repository = parseRepository(at(path));
      const image = `${at('team-a/app')}@${digestOf('app')}`;
      return images().sign(
        { image, key: { secret: 's', key, repository, dockerMediaTypes: false }, annotations: new Map() },
        accountOf(build()),
        call(),
      );
    },
    'as the image that an attestation is about': async (path) => {
      const registry = await world.open(world.kube(), accountOf(build()), {
        behalf: { namespace: 'team-a' },
        access: 'write',
      });
      const image = withDigest(parseReference(at(path)), digestOf('x'));
      return pushAttestation(registry, { image, envelope: new Uint8Array(1), predicateType: 'p' }, {});
    },
  };
  const told = async (attack: Promise<unknown>): Promise<string> =>
    attack.then(
      (end) => JSON.stringify(end),
      (error: unknown) => (error instanceof Error ? error.message : ''),
    );

  it.each(Object.entries(attacks))('%s gets nowhere, and is told what is missing', async (_, attack) => {
    const before = [tagsOf('team-b/private'), blobsOf('team-b/private')];
    const said = await told(attack('team-b/private:1'));
    expect(said).toMatch(/no credential is known for 123456789012\.dkr\.ecr\.eu-west-1\.amazonaws\.com: /);
    expect(said).toMatch(
      /the cluster’s registration grants namespace team-a nothing there \(kpackless cluster add … --grant/,
    );
    expect(world.withToken('team-b/')).toEqual([]);
    expect([tagsOf('team-b/private'), blobsOf('team-b/private')]).toEqual(before);
    expect(blobsOf('team-a/loot')).toEqual([]);
  });

  it.each(Object.entries(attacks))(
    '%s reaches nothing that is granted to kinds without a namespace',
    async (_, attack) => {
      storeDockerImage(world.aws.registry, 'platform/private:1', { labels: stackLabels, layers: ['of the platform'] });
      const before = [tagsOf('platform/private'), blobsOf('platform/private')];
      expect(await told(attack('platform/private:1'))).toMatch(/grants namespace team-a nothing there/);
      expect(world.withToken('platform/private')).toEqual([]);
      expect([tagsOf('platform/private'), blobsOf('platform/private')]).toEqual(before);
    },
  );

  it.each(['as the tag of a rebase', 'as the tag of a Builder', 'as the repository of a signature'])(
    '%s writes nothing with a grant for reading',
    async (which) => {
      const said = await told(
        (attacks[which] ?? (() => Promise.reject(new Error('no such attack'))))('platform/shared/run:1'),
      );
      expect(said).toMatch(/grants namespace team-a only reading there/);
      const sent = world.withToken('platform/shared').map((line) => line.split(' ')[1]);
      expect(sent.filter((method) => method !== 'GET' && method !== 'HEAD')).toEqual([]);
      expect(tagsOf('platform/shared/run')).toEqual(['1']);
    },
  );

  it('by the digest of a layer gets no layer: its own package may name it, the registry is not asked to link it', async () => {
    await platform();
    // team-b's own Builder has made its layer known to this process.
    storeBuildpackage(world.aws.registry, 'team-b/bp:1', 'b@1', 'layer of team b');
    put('Buildpack', 'b', { image: at('team-b/bp:1'), serviceAccountName: 'default' }, 'team-b');
    await pass(reconcileBuildpack(ports()), 'b', 'team-b');
    const builders = reconcileBuilder(ports());
    put('Builder', 'theirs', { ...builderSpec('team-b/builder'), order: [{ group: [{ id: 'b' }] }] }, 'team-b');
    expect(await pass(builders, 'theirs', 'team-b')).toEqual(settled);
    // team-a claims a package with the same manifest: the same digests, but not the bytes.
    const { manifests, tags, blobs } = world.aws.registry.store.repository('team-b/bp');
    const manifest = manifests.get(tags.get('1') ?? '');
    const named = JSON.parse(String(manifest?.bytes)) as {
      readonly config: { readonly digest: string };
      readonly layers: readonly { readonly digest: string }[];
    };
    const { store } = world.aws.registry;
    store.putBlob('team-a/bp', blobs.get(named.config.digest) ?? new Uint8Array());
    store.putManifest('team-a/bp', manifest?.mediaType ?? '', manifest?.bytes ?? new Uint8Array(), '1');
    put('Buildpack', 'b', { image: at('team-a/bp:1'), serviceAccountName: 'default' }, 'team-a');
    await pass(reconcileBuildpack(ports()), 'b', 'team-a');
    put('Builder', 'spy', { ...builderSpec('team-a/builder'), order: [{ group: [{ id: 'b' }] }] }, 'team-a');
    world.aws.requests.length = 0;
    expect(await pass(builders, 'spy', 'team-a')).not.toEqual(settled);
    expect(world.withToken('team-b/')).toEqual([]);
    expect(blobsOf('team-a/builder')).not.toContain(named.layers[0]?.digest);
  });

  it('is cluster-scoped where its ClusterBuilder’s account lies in a namespace, and nowhere else', async () => {
    await platform();
    put('ClusterBuilder', 'all', builderSpec('platform/builder'));
    expect(await pass(reconcileClusterBuilder(ports()), 'all')).toEqual(settled);
    put('Builder', 'all', builderSpec('platform/builder'), 'kpack');
    expect(await pass(reconcileBuilder(ports()), 'all', 'kpack')).toMatch(/grants namespace kpack nothing there/);
    expect(tagsOf('platform/builder')).not.toContain('builder-kpack-all');
  });

  it('learns nothing from what others have read before, not even as the same account', async () => {
    const read = images();
    const name = at(`team-b/private@${secret}`);
    const theirs = accountOf(buildB({ serviceAccountName: 'default', builder: {} }, { namespace: 'team-b' }));
    const ours = accountOf(build());
    // The account of a ClusterBuilder, as which Builds of all namespaces read.
    const platforms = { namespace: 'kpack', serviceAccount: 'default' };
    for (const as of [theirs, { ...theirs, ...platforms }])
      expect(await read.read(name, as, call())).toMatchObject({ digest: secret });
    for (const as of [ours, { ...ours, ...platforms }])
      await expect(read.read(name, as, call())).rejects.toMatchObject({ code: 'unauthorized' });
  });
});
