import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BuilderWorld, builderWorld } from '../../support/builder-world.ts';
import { lifecycleLabels, storeBuildpackage, storeDockerImage } from '../../support/buildpack-images.ts';
import { type FakeRegistry, type FakeRegistryOptions, startFakeRegistry } from '../../support/fake-registry.ts';
import type { PassReport } from '../../support/run-pass.ts';

const conditionsOf = (world: BuilderWorld) => world.status('Builder', 'my').conditions;
const isMade = (world: BuilderWorld): boolean => world.status('Builder', 'my')?.latestImage !== undefined;

/** Everything a builder is made of, in a registry from which nothing can be mounted; nothing is pushed yet. */
const prepare = async (world: BuilderWorld, sources: FakeRegistry, layer: string): Promise<void> => {
  const at = (image: string) => ({ image: `${sources.host}/${image}` });
  const labels = { 'io.buildpacks.stack.id': 's' };
  const env = ['CNB_USER_ID=1', 'CNB_GROUP_ID=1'];
  storeDockerImage(sources, 's/build:1', { labels, env, layers: ['b1', 'b2', 'b3'] });
  storeDockerImage(sources, 's/run:1', { labels, layers: ['r1'] });
  storeDockerImage(sources, 'lifecycle:1', { labels: lifecycleLabels, layers: ['lifecycle'] });
  storeBuildpackage(sources, 'bp/a:1', 'a@1', layer);
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
};

describe('a builder larger than its budget', () => {
  let world: BuilderWorld;
  /** Another registry: nothing can be mounted from it. */
  let sources: FakeRegistry;

  beforeEach(async () => {
    world = await builderWorld({}, { uploadMs: 600 });
    sources = await startFakeRegistry();
    await prepare(world, sources, 'a@1');
  });
  afterEach(() => Promise.all([world.registry.close(), sources.close()]));

  it('is finished over several passes, says how far it is, and wakes itself', async () => {
    const passes: PassReport[] = [];
    const said: (string | undefined)[] = [];
    const ready = new Set<string | undefined>();
    while (passes.length < 20 && world.status('Builder', 'my')?.latestImage === undefined) {
      passes.push(await world.reconcile('Builder', 'my', { remainingSeconds: () => 0.5 }));
      said.push(world.status('Builder', 'my').conditions.at(-1)?.message);
      ready.add(world.status('Builder', 'my').conditions[0]?.status);
    }
    // False would end `kp builder create`, which waits until it is not Unknown.
    expect([...ready]).toEqual(['Unknown', 'True']);
    expect(passes.length).toBeGreaterThan(2);
    expect(said[0]).toMatch(/^[1-9] of \d+ layers are in the registry$/);
    expect(passes[0]?.woken).toEqual([{ kind: 'Builder', namespace: 'ns', name: 'my' }]);
    expect(world.status('Builder', 'my').conditions).toMatchObject([{ status: 'True' }, { status: 'True' }]);
    // Nothing was sent twice.
    const begun = world.registry.requests.filter(({ method, path }) => method === 'POST' && path.includes('/uploads/'));
    expect(begun).toHaveLength(world.registry.store.repository('builders/my').blobs.size);
  });
});

// Passes end by the clock, so a busy machine needs more of them.
describe('a layer larger than the budget', { timeout: 60_000 }, () => {
  /** 0.6 MB at 1.5 MB/s against 0.16 s for blobs in each pass. */
  const remainingSeconds = (): number => 0.2;
  const speed = { bytesPerSecond: 1_500_000, chunkBytes: 60_000 };
  let world: BuilderWorld;
  let sources: FakeRegistry;

  const start = async (access: FakeRegistryOptions = {}): Promise<void> => {
    world = await builderWorld(access, speed);
    sources = await startFakeRegistry();
    await prepare(world, sources, randomBytes(600_000).toString('base64'));
  };
  afterEach(() => Promise.all([world.registry.close(), sources.close()]));

  it('is pushed in pieces over several passes, one of which dies before it is recorded', async () => {
    await start();
    const said: (string | undefined)[] = [];
    let memory: string | undefined;
    let died = false;
    while (said.length < 30 && !isMade(world)) {
      const report = await world.reconcile('Builder', 'my', { remainingSeconds, memory });
      said.push(conditionsOf(world).at(-1)?.message);
      // What the pass had to tell its successor is lost once, with a piece of the layer on its way.
      if (!died && memory?.includes('sentBytes') === true) died = true;
      else memory = report.memory;
    }
    expect(died).toBe(true);
    expect(conditionsOf(world)).toMatchObject([{ status: 'True' }, { status: 'True' }]);
    expect(said.find((text) => text?.includes('MB'))).toMatch(
      /^\d of \d+ layers are in the registry, and 0\.\d of 0\.6 MB of the next$/,
    );
    const sent = world.registry.requests.filter(({ method }) => method === 'PATCH').map(({ bodyBytes }) => bodyBytes);
    expect(Math.max(...sent)).toBe(60_000);
    // Of the large layer no byte went twice, for all the passes it took.
    const large = [...sources.store.repository('bp/a').blobs.values()].find(({ byteLength }) => byteLength > 500_000);
    expect(sent.filter((bytes) => bytes === 60_000)).toHaveLength(Math.floor((large?.byteLength ?? 0) / 60_000));
  });

  it('is said to be too large where the registry takes no blob in pieces', async () => {
    await start({ faults: [{ kind: 'header', name: 'range', value: '0-59999', method: 'PATCH', times: 1000 }] });
    let memory: string | undefined;
    let said: string | undefined;
    for (let pass = 0; pass < 30 && said !== 'False'; pass += 1) {
      ({ memory } = await world.reconcile('Builder', 'my', { remainingSeconds, memory }));
      said = conditionsOf(world).at(-1)?.status;
    }
    expect(conditionsOf(world).at(-1)).toMatchObject({
      status: 'False',
      message: expect.stringContaining('it takes no blob over several requests') as string,
    });
  });
});
