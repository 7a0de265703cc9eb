import { afterEach, describe, expect, it } from 'vitest';
import { type BuilderWorld, builderWorld } from '../../support/builder-world.ts';
import { platformParts, storeParts } from '../../support/platform-parts.ts';

const worlds: BuilderWorld[] = [];
afterEach(async () => {
  await Promise.all(worlds.splice(0).map(({ registry }) => registry.close()));
});

/** A builder that was never made, for two platforms, which is the longest way. */
const freshWorld = async (): Promise<BuilderWorld> => {
  const world = await builderWorld();
  worlds.push(world);
  const at = (image: string) => ({ image: `${world.registry.host}/${image}` });
  for (const part of platformParts) storeParts(world.registry, part);
  world.put('ClusterStack', 'stack', { spec: { id: 's', buildImage: at('s/build:1'), runImage: at('s/run:1') } });
  world.put('ClusterLifecycle', 'default-lifecycle', { spec: at('lifecycle:1') });
  world.put('ClusterStore', 'store', { spec: { sources: [at('bp/a:1')] } });
  world.put('ServiceAccount', 'builder');
  await world.reconcile('ClusterStack', 'stack');
  await world.reconcile('ClusterLifecycle', 'default-lifecycle');
  await world.reconcile('ClusterStore', 'store');
  const spec = {
    tag: `${world.registry.host}/builders/my`,
    stack: { name: 'stack' },
    store: { name: 'store' },
    order: [{ group: [{ id: 'a' }] }],
    serviceAccountName: 'builder',
  };
  world.put('Builder', 'my', { spec }, { annotations: { 'kpack.io/platforms': 'all' } });
  world.registry.clearRequests();
  return world;
};
const isWrite = ({ method }: { readonly method: string }): boolean => !['GET', 'HEAD'].includes(method);
const made = ({ registry }: BuilderWorld) => {
  const { tags, manifests, blobs } = registry.store.repository('builders/my');
  const named = [...tags].filter(([tag]) => tag.startsWith('builder-')).map(([tag, digest]) => [tag, digest]);
  return { named, manifests: manifests.size, blobs: blobs.size };
};

describe('a pass of a builder that is cut off', () => {
  it('at any write to the registry is made good by the next, which ends the same and sends no blob again', async () => {
    const whole = await freshWorld();
    await whole.reconcile('Builder', 'my');
    const writes = whole.registry.requests.filter(isWrite);
    // References in the images hold the registry's port: numbers are compared, and that the builder is good.
    const wanted = made(whole);
    expect(writes.length).toBeGreaterThan(15);
    // Each manifest, and of the blobs, which are all alike, every fifth.
    const cuts = ['POST', 'PUT'].flatMap((method) =>
      writes
        .filter((one) => one.method === method)
        .flatMap(({ path }, skip) => (path.includes('/manifests/') || skip % 5 === 0 ? [{ method, skip }] : [])),
    );
    for (const cut of cuts) {
      const world = await freshWorld();
      world.registry.addFault({ kind: 'reset', ...cut });
      await world.reconcile('Builder', 'my');
      await world.reconcile('Builder', 'my');
      const { conditions } = world.status('Builder', 'my');
      expect(conditions).toMatchObject([{ status: 'True' }, { status: 'True' }]);
      const { named, manifests, blobs } = made(world);
      expect([named.length, manifests, blobs]).toEqual([wanted.named.length, wanted.manifests, wanted.blobs]);
      const closed = world.registry.requests
        .filter(({ method, path, status }) => method === 'PUT' && path.includes('uploads') && status === 201)
        .map(({ path }) => new URL(path, 'http://x').searchParams.get('digest'));
      expect(new Set(closed).size).toBe(closed.length);
    }
  }, 20_000);

  it('before its status was written is made good by the next, which writes nothing to the registry', async () => {
    const world = await freshWorld();
    world.cluster.failNext('PUT', 'builders/my/status', 500);
    await world.reconcile('Builder', 'my');
    world.registry.clearRequests();
    await world.reconcile('Builder', 'my');
    expect(world.registry.requests.filter(isWrite)).toEqual([]);
    expect(world.status('Builder', 'my').conditions).toMatchObject([{ status: 'True' }, { status: 'True' }]);
  });

  it('and run again beside itself ends the same', async () => {
    const world = await freshWorld();
    await Promise.allSettled([world.reconcile('Builder', 'my'), world.reconcile('Builder', 'my')]);
    await world.reconcile('Builder', 'my');
    expect(world.status('Builder', 'my').conditions).toMatchObject([{ status: 'True' }, { status: 'True' }]);
  });
});
