import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BuilderWorld, builderWorld } from '../../support/builder-world.ts';
import { lifecycleLabels, storeBuildpackage, storeDockerImage } from '../../support/buildpack-images.ts';
import { type FakeRegistry, startFakeRegistry } from '../../support/fake-registry.ts';
import type { PassReport } from '../../support/run-pass.ts';

describe('a builder larger than its budget', () => {
  let world: BuilderWorld;
  /** Another registry: nothing can be mounted from it. */
  let sources: FakeRegistry;

  beforeEach(async () => {
    world = await builderWorld({}, { uploadMs: 120 });
    sources = await startFakeRegistry();
    const at = (image: string) => ({ image: `${sources.host}/${image}` });
    const labels = { 'io.buildpacks.stack.id': 's' };
    const env = ['CNB_USER_ID=1', 'CNB_GROUP_ID=1'];
    storeDockerImage(sources, 's/build:1', { labels, env, layers: ['b1', 'b2', 'b3'] });
    storeDockerImage(sources, 's/run:1', { labels, layers: ['r1'] });
    storeDockerImage(sources, 'lifecycle:1', { labels: lifecycleLabels, layers: ['lifecycle'] });
    storeBuildpackage(sources, 'bp/a:1', 'a@1');
    world.put('ClusterStack', 'stack', { spec: { id: 's', buildImage: at('s/build:1'), runImage: at('s/run:1') } });
    world.put('ClusterLifecycle', 'default-lifecycle', { spec: at('lifecycle:1') });
    world.put('ClusterStore', 'store', { spec: { sources: [at('bp/a:1')] } });
    world.put('ServiceAccount', 'builder');
    await world.reconcile('ClusterStack', 'stack');
    await world.reconcile('ClusterLifecycle', 'default-lifecycle');
    await world.reconcile('ClusterStore', 'store');
    world.put('Builder', 'my', {
      spec: {
        tag: `${world.registry.host}/builders/my`,
        stack: { name: 'stack' },
        store: { name: 'store' },
        order: [{ group: [{ id: 'a' }] }],
        serviceAccountName: 'builder',
      },
    });
  });
  afterEach(() => Promise.all([world.registry.close(), sources.close()]));

  it('is finished over several passes, says how far it is, and wakes itself', async () => {
    const passes: PassReport[] = [];
    const said: (string | undefined)[] = [];
    while (passes.length < 20 && world.status('Builder', 'my')?.latestImage === undefined) {
      passes.push(await world.reconcile('Builder', 'my', { remainingSeconds: () => 0.1 }));
      said.push(world.status('Builder', 'my').conditions.at(-1)?.message);
    }
    expect(passes.length).toBeGreaterThan(2);
    expect(said[0]).toMatch(/^[1-9] of \d+ layers are in the registry$/);
    expect(passes[0]?.woken).toEqual([{ kind: 'Builder', namespace: 'ns', name: 'my' }]);
    expect(world.status('Builder', 'my').conditions).toMatchObject([{ status: 'True' }, { status: 'True' }]);
    // Nothing was sent twice.
    const begun = world.registry.requests.filter(({ method, path }) => method === 'POST' && path.includes('/uploads/'));
    expect(begun).toHaveLength(world.registry.store.repository('builders/my').blobs.size);
  });
});
