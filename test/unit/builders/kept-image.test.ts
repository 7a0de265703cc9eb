/** Another release, or a move from kpack, pushes no builder whose content is the same: a digest means content, and failed Builds go by it. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { builderContent } from '../../../lib/builders/kept-image.ts';
import { type BuilderWorld, builderWorld } from '../../support/builder-world.ts';
import { lifecycleLabels, storeBuildpackage, storeDockerImage } from '../../support/buildpack-images.ts';

const user = ['CNB_USER_ID=4000', 'CNB_GROUP_ID=3000'];
const stackLabels = { 'io.buildpacks.stack.id': 's' };
const kpacks = 'v0.17.2 (git sha: bfa95d7)';

describe('a builder that another release made', () => {
  let world: BuilderWorld;

  const at = (image: string) => ({ image: `${world.registry.host}/${image}` });
  const putBuilder = (more: Readonly<Record<string, unknown>> = {}): void =>
    world.put('ClusterBuilder', 'my', {
      spec: {
        tag: `${world.registry.host}/builders/my`,
        stack: { kind: 'ClusterStack', name: 'stack' },
        store: { kind: 'ClusterStore', name: 'store' },
        order: [{ group: [{ id: 'a' }] }],
        serviceAccountRef: { namespace: 'ns', name: 'builder' },
        ...more,
      },
    });
  /** A pass; gives what it wrote to the registry. */
  const pass = async (memory?: string): Promise<readonly string[]> => {
    world.registry.clearRequests();
    await world.reconcile('ClusterBuilder', 'my', { memory });
    return world.registry.requests
      .filter(({ method }) => method !== 'GET' && method !== 'HEAD')
      .map(({ method }) => method);
  };
  const latest = (): string => world.status('ClusterBuilder', 'my').latestImage ?? '';
  const repository = () => world.registry.store.repository('builders/my');

  beforeEach(async () => {
    world = await builderWorld();
    const { registry, put, reconcile } = world;
    storeDockerImage(registry, 's/build:1', { labels: stackLabels, env: user, layers: ['base'] });
    storeDockerImage(registry, 's/run:1', { labels: stackLabels, layers: ['run'] });
    storeDockerImage(registry, 's/run:2', { labels: stackLabels, layers: ['run 2'] });
    storeDockerImage(registry, 'lifecycle:1', { labels: lifecycleLabels, layers: ['lifecycle'] });
    storeBuildpackage(registry, 'bp/a:1', 'a@1');
    put('ClusterStack', 'stack', { spec: { id: 's', buildImage: at('s/build:1'), runImage: at('s/run:1') } });
    put('ClusterLifecycle', 'default-lifecycle', { spec: at('lifecycle:1') });
    put('ClusterStore', 'store', { spec: { sources: [at('bp/a:1')] } });
    put('ServiceAccount', 'builder');
    for (const [kind, name] of [
      ['ClusterStack', 'stack'],
      ['ClusterLifecycle', 'default-lifecycle'],
      ['ClusterStore', 'store'],
    ] as const)
      await reconcile(kind, name);
    world.release(kpacks);
    putBuilder();
    await pass();
  });
  afterEach(() => world.registry.close());

  it('stays, and nothing is pushed', async () => {
    const before = latest();
    world.release('v9.9.9');
    expect(await pass()).toStrictEqual([]);
    expect(latest()).toBe(before);
    expect(before).not.toBe('');
  });

  it('stays also when its spec is written anew with the same in it', async () => {
    const before = latest();
    world.release('v9.9.9');
    putBuilder();
    expect(await pass()).toStrictEqual([]);
    expect(latest()).toBe(before);
  });

  it.each([
    [
      'another run image',
      () =>
        world.put('ClusterStack', 'stack', { spec: { id: 's', buildImage: at('s/build:1'), runImage: at('s/run:2') } }),
    ],
    ['a label more', () => putBuilder({ additionalLabels: { team: 'x' } })],
    ['another tag', () => putBuilder({ tag: `${world.registry.host}/builders/my:other` })],
    ['its tag taken away', () => void repository().tags.delete('clusterbuilder-my')],
    [
      'an image under its tag that is none',
      () => {
        const digest = latest().split('@')[1] ?? '';
        const manifest = repository().manifests.get(digest);
        const { config } = JSON.parse(String(manifest?.bytes)) as {
          readonly config: { readonly digest: `sha256:${string}` };
        };
        repository().blobs.delete(config.digest);
      },
    ],
  ])('is made anew for %s', async (_what, change) => {
    const before = latest();
    world.release('v9.9.9');
    change();
    await world.reconcile('ClusterStack', 'stack');
    expect(await pass()).toContain('PUT');
    expect(latest()).not.toBe(before);
  });
});

describe('what is in a builder', () => {
  const config = (labels: Readonly<Record<string, string>>, more: object = {}) => ({
    rootfs: { diff_ids: ['sha256:a'] },
    config: { Env: ['A=1'], Labels: labels },
    ...more,
  });
  const label = (metadata: object): Readonly<Record<string, string>> => ({
    'io.buildpacks.builder.metadata': JSON.stringify(metadata),
  });

  it('is not who made it', () => {
    const ours = builderContent(config(label({ createdBy: { name: 'kpack Builder', version: 'v1' }, stack: {} })));
    expect(builderContent(config(label({ stack: {}, createdBy: { name: 'other' } })))).toBe(ours);
  });

  it.each([
    ['its buildpacks', config(label({ buildpacks: [{ id: 'a' }] }))],
    ['its labels', config({ ...label({}), team: 'x' })],
    ['its layers', config(label({}), { rootfs: { diff_ids: ['sha256:b'] } })],
    ['its environment', config(label({}), { config: { Env: ['A=2'], Labels: label({}) } })],
    ['its platform', config(label({}), { architecture: 'arm64' })],
    ['a label that cannot be read', config({ 'io.buildpacks.builder.metadata': '{' })],
  ])('is %s', (_what, other) => {
    expect(builderContent(other)).not.toBe(builderContent(config(label({}))));
  });
});
