import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BuilderWorld, builderWorld } from '../../support/builder-world.ts';
import { lifecycleLabels, storeDockerImage } from '../../support/buildpack-images.ts';

describe('a ClusterLifecycle', () => {
  let world: BuilderWorld;

  const status = () => world.status('ClusterLifecycle', 'lifecycle');
  const reconcile = () => world.reconcile('ClusterLifecycle', 'lifecycle');

  beforeEach(async () => {
    world = await builderWorld();
    storeDockerImage(world.registry, 'lifecycle:1', { labels: lifecycleLabels, layers: ['lifecycle'] });
    world.put('ClusterLifecycle', 'lifecycle', { spec: { image: `${world.registry.host}/lifecycle:1` } });
  });
  afterEach(() => world.registry.close());

  it('04#39 says version and APIs, and writes nothing when nothing is new', async () => {
    await reconcile();
    expect(status()).toMatchObject({ version: '0.21.0', apis: { buildpack: { deprecated: null } } });
    expect((await reconcile()).statusWrites).toBe(0);
  });

  it('04#39 keeps what it knew when the image is no lifecycle any more', async () => {
    await reconcile();
    storeDockerImage(world.registry, 'lifecycle:1');
    await reconcile();
    expect(status()).toMatchObject({
      version: '0.21.0',
      conditions: [{ status: 'False', message: 'could not find label io.buildpacks.builder.metadata' }],
    });
  });
});
