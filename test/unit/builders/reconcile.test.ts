import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BuilderWorld, builderWorld } from '../../support/builder-world.ts';
import { diffIdOf, lifecycleLabels, storeBuildpackage, storeDockerImage } from '../../support/buildpack-images.ts';
import { cosignKey } from '../../support/cosign-key.ts';
import { startFakeRegistry } from '../../support/fake-registry.ts';

const user = ['CNB_USER_ID=4000', 'CNB_GROUP_ID=3000'];
const stackLabels = { 'io.buildpacks.stack.id': 's' };

interface BuilderConfig {
  readonly rootfs: { readonly diff_ids: readonly string[] };
  readonly config: { readonly Labels: Readonly<Record<string, string>>; readonly WorkingDir: string };
}

describe('a builder', () => {
  let world: BuilderWorld;

  /** Everything a builder needs, ready, with buildpacks a@1 and b@1 in the store. */
  const prepare = async (): Promise<void> => {
    const { registry, put, reconcile } = world;
    const at = (image: string) => ({ image: `${registry.host}/${image}` });
    storeDockerImage(registry, 's/build:1', { labels: stackLabels, env: user, layers: ['base 1', 'base 2'] });
    storeDockerImage(registry, 's/run:1', { labels: stackLabels, layers: ['run'] });
    storeDockerImage(registry, 'lifecycle:1', { labels: lifecycleLabels, layers: ['lifecycle'] });
    storeBuildpackage(registry, 'bp/a:1', 'a@1');
    storeBuildpackage(registry, 'bp/b:1', 'b@1');
    put('ClusterStack', 'stack', { spec: { id: 's', buildImage: at('s/build:1'), runImage: at('s/run:1') } });
    put('ClusterLifecycle', 'default-lifecycle', { spec: at('lifecycle:1') });
    put('ClusterStore', 'store', { spec: { sources: [at('bp/a:1'), at('bp/b:1')] } });
    put('ServiceAccount', 'builder');
    await reconcile('ClusterStack', 'stack');
    await reconcile('ClusterLifecycle', 'default-lifecycle');
    await reconcile('ClusterStore', 'store');
    registry.clearRequests();
  };

  const specWith = (more: Readonly<Record<string, unknown>> = {}) => ({
    tag: `${world.registry.host}/builders/my`,
    stack: { kind: 'ClusterStack', name: 'stack' },
    store: { kind: 'ClusterStore', name: 'store' },
    order: [{ group: [{ id: 'a' }, { id: 'b', optional: true }] }],
    serviceAccountName: 'builder',
    serviceAccountRef: { namespace: 'ns', name: 'builder' },
    ...more,
  });
  const putBuilder = (more: Readonly<Record<string, unknown>> = {}, kind = 'Builder'): void =>
    world.put(kind, 'my', { spec: specWith(more) });
  const reconcile = (memory?: string) => world.reconcile('Builder', 'my', { memory });
  const status = (kind = 'Builder') => world.status(kind, 'my');
  const message = (kind = 'Builder'): string | undefined =>
    status(kind).conditions.find(({ type }) => type === 'UpToDate')?.message;
  const pushed = (tag: string): BuilderConfig => {
    const repository = world.registry.store.repository('builders/my');
    const manifest = repository.manifests.get(repository.tags.get(tag) ?? '');
    const { config } = JSON.parse(String(manifest?.bytes)) as { readonly config: { readonly digest: string } };
    return JSON.parse(String(repository.blobs.get(config.digest))) as BuilderConfig;
  };
  const tags = (): readonly string[] => [...world.registry.store.repository('builders/my').tags.keys()];

  beforeEach(async () => {
    world = await builderWorld();
    await prepare();
  });
  afterEach(() => world.registry.close());

  it('04#63 04#73 04#75 04#102 pushes run image and builder, and says both with tag and digest', async () => {
    putBuilder();
    await reconcile();
    const name = `${world.registry.host}/builders/my:builder-ns-my`;
    expect(status()).toMatchObject({
      os: 'linux',
      observedStoreGeneration: world.status('ClusterStore', 'store')['observedGeneration'],
      order: [
        {
          group: [
            { id: 'a', version: '1' },
            { id: 'b', version: '1', optional: true },
          ],
        },
      ],
      conditions: [
        { type: 'Ready', status: 'True' },
        { type: 'UpToDate', status: 'True' },
      ],
    });
    expect(status().latestImage).toMatch(new RegExp(`^${name}@sha256:[0-9a-f]{64}$`));
    expect((status()['stack'] as { readonly runImage: string }).runImage).toMatch(`${name}-run-image@sha256:`);
  });

  it('04#69 04#74 has the layers of base, lifecycle and buildpacks, and works in /layers', async () => {
    putBuilder({ additionalLabels: { team: 'x' } });
    await reconcile();
    const { rootfs, config } = pushed('builder-ns-my');
    expect(rootfs.diff_ids.slice(0, 2)).toEqual(['base 1', 'base 2'].map(diffIdOf));
    expect(rootfs.diff_ids[2]).toBe('sha256:b7118c9ed909a0ac159970e55fa5835d5b0bf632f6c80918c2aa37ecd835af1e');
    expect(rootfs.diff_ids.slice(3, 6)).toEqual(['lifecycle', 'b@1', 'a@1'].map(diffIdOf));
    expect(rootfs.diff_ids).toHaveLength(8);
    expect(config).toMatchObject({ WorkingDir: '/layers', Labels: { team: 'x' } });
  });

  it('04#101 ClusterBuilder is tagged after itself, its namespace being nowhere', async () => {
    putBuilder({}, 'ClusterBuilder');
    await world.reconcile('ClusterBuilder', 'my');
    expect(tags()).toContain('clusterbuilder-my');
    expect(status('ClusterBuilder').conditions).toMatchObject([{ status: 'True' }, { status: 'True' }]);
  });

  it('04#103 keeps a tag of its own; latest is none', async () => {
    putBuilder({ tag: `${world.registry.host}/builders/my:mine` });
    await reconcile();
    putBuilder({ tag: `${world.registry.host}/builders/my:latest` });
    await reconcile();
    expect(tags().filter((tag) => !/^\d{14}$/.test(tag))).toEqual([
      'mine-run-image',
      'mine',
      'builder-ns-my-run-image',
      'builder-ns-my',
    ]);
  });

  it('04#104 refuses a tag that is none', async () => {
    putBuilder({ tag: 'example.com/invalid::builder' });
    await reconcile();
    expect(status().conditions).toEqual([
      expect.objectContaining({
        status: 'False',
        reason: 'NoLatestImage',
        message: 'Builder has no latestImage: could not parse reference: example.com/invalid::builder',
      }),
      expect.objectContaining({
        status: 'False',
        reason: 'ReconcileFailed',
        message: 'could not parse reference: example.com/invalid::builder',
      }),
    ]);
  });

  it('04#105 a second pass writes nothing and asks only whether both tags are as they were', async () => {
    putBuilder();
    const { memory } = await reconcile();
    world.registry.clearRequests();
    expect((await reconcile(memory)).statusWrites).toBe(0);
    expect(world.registry.requests.map(({ method }) => method)).toEqual(['HEAD', 'HEAD']);
  });

  it('without its memory a pass reads three manifests, and still writes nothing', async () => {
    putBuilder();
    await reconcile();
    world.registry.clearRequests();
    expect((await reconcile()).statusWrites).toBe(0);
    const asked = world.registry.requests.map(({ method }) => method).toSorted();
    expect(asked).toEqual(['GET', 'GET', 'GET', 'HEAD', 'HEAD']);
  });

  it('pushes again what somebody deleted from the registry', async () => {
    putBuilder();
    const { memory } = await reconcile();
    world.registry.store.repository('builders/my').tags.delete('builder-ns-my');
    await reconcile(memory);
    expect(tags()).toContain('builder-ns-my');
  });

  it('04#107 stays usable when it cannot be renewed', async () => {
    putBuilder();
    await reconcile();
    const before = status().latestImage;
    putBuilder({ order: [{ group: [{ id: 'gone' }] }] });
    await reconcile();
    expect(status().latestImage).toBe(before);
    expect(status().conditions).toMatchObject([
      { type: 'Ready', status: 'True' },
      { type: 'UpToDate', status: 'False', reason: 'ReconcileFailed' },
    ]);
  });

  it('pushes nothing when it does not validate, where kpack leaves a run image behind', async () => {
    putBuilder({ order: [{ group: [{ id: 'gone' }] }] });
    await reconcile();
    expect(tags()).toEqual([]);
  });

  it.each([
    ['04#109', { store: { name: 'no' } }, 'clusterstore.kpack.io "no" not found'],
    ['04#110', { stack: { name: 'no' } }, 'clusterstack.kpack.io "no" not found'],
    ['04#111', { lifecycle: { name: 'no' } }, 'clusterlifecycle.kpack.io "no" not found'],
    ['04#116', { serviceAccountName: 'no' }, 'serviceaccounts "no" not found'],
  ])('%s names what is missing', async (_, more, expected) => {
    putBuilder(more);
    await reconcile();
    expect(message()).toBe(expected);
  });

  it('04#108 04#112 waits for stack and lifecycle in kpack’s words', async () => {
    world.put('ClusterStack', 'new', { spec: { id: 's', buildImage: {}, runImage: {} } });
    world.put('ClusterLifecycle', 'new', { spec: {} });
    putBuilder({ stack: { name: 'new' } });
    await reconcile();
    expect(message()).toBe("Error: clusterstack 'new' is not ready");
    putBuilder({ stack: { name: 'new' } }, 'ClusterBuilder');
    await world.reconcile('ClusterBuilder', 'my');
    expect(message('ClusterBuilder')).toBe('stack new is not ready');
    putBuilder({ lifecycle: { name: 'new' } });
    await reconcile();
    expect(message()).toBe("Error: clusterlifecycle 'new' is not ready");
  });

  it('04#114 depends on stack, lifecycle, store, its account and all buildpacks it may name', async () => {
    putBuilder();
    const named = (kind: string, name: string, namespace = '') => ({ kind, namespace, name });
    expect((await reconcile()).dependencies).toEqual([
      named('ClusterStack', 'stack'),
      named('ClusterLifecycle', 'default-lifecycle'),
      named('ClusterStore', 'store'),
      named('Buildpack', '*', 'ns'),
      named('ClusterBuildpack', '*'),
      named('ServiceAccount', 'builder', 'ns'),
    ]);
  });

  it('04#113 without a store reads none', async () => {
    putBuilder({ store: {}, order: [] });
    const before = world.cluster.requests.length;
    const { dependencies } = await reconcile();
    const asked = world.cluster.requests.slice(before).map(({ path }) => path);
    expect(asked.filter((path) => path.includes('/clusterstores'))).toEqual([]);
    expect(dependencies.map(({ kind }) => kind)).not.toContain('ClusterStore');
    expect(status()['observedStoreGeneration']).toBeUndefined();
  });

  it('04#117 ClusterBuilder takes nothing from Buildpacks', async () => {
    world.put('Buildpack', 'bp', { spec: { image: `${world.registry.host}/bp/a:1` } });
    await world.reconcile('Buildpack', 'bp');
    putBuilder({ order: [{ group: [{ kind: 'Buildpack', name: 'bp' }] }] }, 'ClusterBuilder');
    await world.reconcile('ClusterBuilder', 'my');
    expect(message('ClusterBuilder')).toBe("no buildpack with name 'bp'");
  });

  it('04#115 reads stack and lifecycle with the builder’s account when they name none', async () => {
    putBuilder();
    await reconcile();
    expect(world.accounts.at(-1)).toEqual({ namespace: '', serviceAccount: '' });
    expect(world.accounts.filter(({ serviceAccount }) => serviceAccount === 'builder').length).toBeGreaterThan(2);
  });

  it('04#86 refuses a lifecycle for another platform', async () => {
    const labels = lifecycleLabels;
    storeDockerImage(world.registry, 'lifecycle:1', { labels, layers: ['lifecycle'], architecture: 'arm64' });
    await world.reconcile('ClusterLifecycle', 'default-lifecycle');
    putBuilder();
    await reconcile();
    expect(message()).toBe(
      `validating lifecycle image ${world.registry.host}/lifecycle:1: expected platform to be linux/amd64/ but got linux/arm64/`,
    );
  });

  it('refuses a buildpack that is for other base images, unless it is optional', async () => {
    const over = { targets: [{ os: 'linux', distros: [{ name: 'ubuntu', version: '24.04' }] }] };
    storeBuildpackage(world.registry, 'bp/b:1', 'b@1', 'b for noble', over);
    storeBuildpackage(world.registry, 'bp/m:1', 'm@1', 'm', { order: [{ group: [{ id: 'b', version: '1' }] }] });
    const labels = {
      ...stackLabels,
      'io.buildpacks.base.distro.name': 'ubuntu',
      'io.buildpacks.base.distro.version': '22.04',
    };
    storeDockerImage(world.registry, 's/run:1', { labels, layers: ['run'] });
    const at = (image: string) => ({ image: `${world.registry.host}/${image}` });
    world.put('ClusterStore', 'store', { spec: { sources: [at('bp/a:1'), at('bp/b:1'), at('bp/m:1')] } });
    await world.reconcile('ClusterStack', 'stack');
    await world.reconcile('ClusterStore', 'store');
    putBuilder({ order: [{ group: [{ id: 'a' }, { id: 'm' }] }] });
    await reconcile();
    expect(message()).toBe(
      'validating buildpack b@1: it is for linux (ubuntu 24.04), the builder for linux/amd64 (ubuntu 22.04); ordered by group 1 → m@1 → b@1',
    );
    expect(tags()).toEqual([]);
    putBuilder({ order: [{ group: [{ id: 'a' }, { id: 'm', optional: true }] }] });
    await reconcile();
    expect(status().conditions).toMatchObject([{ status: 'True' }, { status: 'True' }]);
  });

  it('does not believe what another package says of a buildpack', async () => {
    const windows = { targets: [{ os: 'windows' }] };
    storeBuildpackage(world.registry, 'evil/a:1', 'a@1', 'a@1', windows);
    const at = (image: string) => ({ image: `${world.registry.host}/${image}` });
    world.put('ClusterStore', 'store', { spec: { sources: [at('evil/a:1')] } });
    await world.reconcile('ClusterStore', 'store');
    putBuilder({ order: [{ group: [{ id: 'a' }] }] });
    await reconcile();
    expect(message()).toContain('it is for windows');
    world.put('ClusterStore', 'store', { spec: { sources: [at('bp/a:1')] } });
    await world.reconcile('ClusterStore', 'store');
    await reconcile();
    expect(status().conditions).toMatchObject([{ status: 'True' }, { status: 'True' }]);
  });

  it('with something twice in its order is made as kpack makes it, and says so', async () => {
    putBuilder({ order: [{ group: [{ id: 'a' }, { id: 'a' }] }] });
    await reconcile();
    expect(status().conditions).toMatchObject([{ status: 'True' }, { status: 'True' }]);
    expect(message()).toBe('group 1 has a more than once, the first counts');
  });

  it('is made although a package is gone, as long as its layers are there', async () => {
    putBuilder();
    await reconcile();
    world.registry.store.repository('bp/a').tags.clear();
    world.put('Builder', 'other', { spec: specWith({ tag: `${world.registry.host}/builders/other` }) });
    await world.reconcile('Builder', 'other');
    expect(world.status('Builder', 'other').conditions).toMatchObject([{ status: 'True' }, { status: 'True' }]);
  });

  it('refuses a build image whose user is none', async () => {
    const env = ['CNB_USER_ID=-1', 'CNB_GROUP_ID=1000'];
    storeDockerImage(world.registry, 's/negative:1', { labels: { 'io.buildpacks.stack.id': 's' }, env, layers: ['x'] });
    const at = (image: string) => ({ image: `${world.registry.host}/${image}` });
    world.put('ClusterStack', 'stack', { spec: { id: 's', buildImage: at('s/negative:1'), runImage: at('s/run:1') } });
    await world.reconcile('ClusterStack', 'stack');
    putBuilder();
    await reconcile();
    expect(status().conditions.at(-1)?.message).toContain('user -1 and group 1000 of the build image cannot own');
  });

  it('04#88 refuses a lifecycle image without layers', async () => {
    storeDockerImage(world.registry, 'lifecycle:1', { labels: lifecycleLabels });
    await world.reconcile('ClusterLifecycle', 'default-lifecycle');
    putBuilder();
    await reconcile();
    expect(message()).toBe('failed to find lifecycle layer: failed to find lifecycle image layers');
  });

  it('sends a buildpack’s layer once to a registry, however many builders have it', async () => {
    const sources = await startFakeRegistry();
    storeBuildpackage(sources, 'bp/far:1', 'far@1', 'far layer');
    world.put('ClusterStore', 'far', { spec: { sources: [{ image: `${sources.host}/bp/far:1` }] } });
    await world.reconcile('ClusterStore', 'far');
    sources.clearRequests();
    const [{ digest = '' } = {}] = world.status('ClusterStore', 'far')['buildpacks'] as { digest?: string }[];
    const make = async (name: string): Promise<void> => {
      const tag = `${world.registry.host}/builders/${name}`;
      world.put('Builder', name, {
        spec: specWith({ tag, store: { name: 'far' }, order: [{ group: [{ id: 'far' }] }] }),
      });
      await world.reconcile('Builder', name);
      expect(world.status('Builder', name).latestImage).toContain(tag);
    };
    // Many at once, and one later.
    await Promise.all(Array.from({ length: 20 }, (_, n) => make(`my-${n}`)));
    await make('late');
    expect(sources.requests.filter(({ path }) => path.includes(`/blobs/${digest}`))).toHaveLength(1);
    await sources.close();
  });

  it('04#106 says both when it was never made and when it could not be renewed', async () => {
    world.registry.addFault({ kind: 'status', method: 'PUT', path: /manifests/, status: 400, body: 'no', times: 9 });
    putBuilder();
    await reconcile();
    expect(status().conditions).toMatchObject([
      {
        type: 'Ready',
        status: 'False',
        reason: 'NoLatestImage',
        message: expect.stringMatching(/^Builder has no latestImage: ./) as string,
      },
      { type: 'UpToDate', status: 'False', reason: 'ReconcileFailed' },
    ]);
  });

  it('04#96 lists its signatures', async () => {
    const data = { 'cosign.key': cosignKey('').pem, 'cosign.password': '' };
    const encoded = Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
    world.put('Secret', 'signing', { data: Object.fromEntries(encoded) });
    world.put('ServiceAccount', 'builder', { secrets: [{ name: 'signing' }] });
    putBuilder();
    await reconcile();
    expect(status()['signaturePaths']).toMatchObject([{ signingSecret: 'k8s://ns/signing' }]);
  });

  it('tells the registry’s own words when it may not push, and looks again', async () => {
    world.registry.addFault({ kind: 'status', method: 'POST', status: 403, times: 100 });
    putBuilder();
    const { outcome } = await reconcile();
    expect(outcome).toMatchObject({ pace: 'slow' });
    expect(message()).toMatch(/403 Forbidden/);
  });

  it('mounts every layer that the registry has already', async () => {
    putBuilder();
    await reconcile();
    const fetched = world.registry.requests.filter(
      ({ method, path }) => method === 'GET' && path.includes('/blobs/') && !path.includes('mount'),
    );
    // The configs of build, run and lifecycle image and of two packages, and nothing else.
    expect(fetched.length).toBeLessThanOrEqual(5);
  });
});
