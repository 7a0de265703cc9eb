import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BuildpackSourceStatus } from '../../../lib/api/buildpack.ts';
import { configCache } from '../../../lib/buildpacks/fetch-image.ts';
import { ExpectedError, PermanentError } from '../../../lib/errors/expected.ts';
import { openRegistry } from '../../../lib/oci/client.ts';
import type { Registry } from '../../../lib/oci/registry.ts';
import { reconcileClusterStore } from '../../../lib/stores/reconcile.ts';
import { type BuilderWorld, builderWorld, type ReadStatus } from '../../support/builder-world.ts';
import { storeBuildpackage, storeDockerImage } from '../../support/buildpack-images.ts';
import { type PassReport, runPass } from '../../support/run-pass.ts';

describe('a ClusterStore', () => {
  let world: BuilderWorld;

  const reconcile = (memory?: string): Promise<PassReport> => world.reconcile('ClusterStore', 'store', { memory });
  const putStore = (images: readonly string[], more: Readonly<Record<string, unknown>> = {}): void => {
    const sources = images.map((image) => ({ image: `${world.registry.host}/${image}` }));
    world.put('ClusterStore', 'store', { spec: { sources, ...more } });
  };
  const status = () => world.status('ClusterStore', 'store') as ReadStatus & BuildpackSourceStatus;

  beforeEach(async () => {
    world = await builderWorld();
    storeBuildpackage(world.registry, 'bp/a:1', 'a@1');
    storeBuildpackage(world.registry, 'bp/b:1', 'b@1');
  });
  afterEach(() => world.registry.close());

  it('04#1 lists the buildpacks of all its sources and is Ready without a message', async () => {
    putStore(['bp/b:1', 'bp/a:1']);
    const { statusWrites, outcome } = await reconcile();
    expect(statusWrites).toBe(1);
    expect(outcome).toMatchObject({ done: false, afterSeconds: 300 });
    expect(status().buildpacks?.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(status()).toMatchObject({ conditions: [{ type: 'Ready', status: 'True' }] });
    expect(status().conditions[0]?.message).toBeUndefined();
  });

  it('04#2 reads with the account it names, and is woken when that changes', async () => {
    putStore(['bp/a:1'], { serviceAccountRef: { name: 'private', namespace: 'ns' } });
    const { dependencies } = await reconcile();
    expect(world.accounts).toEqual([{ serviceAccount: 'private', namespace: 'ns' }]);
    expect(dependencies).toEqual([{ kind: 'ServiceAccount', namespace: 'ns', name: 'private' }]);
  });

  it('04#3 without an account reads no Secret at all', async () => {
    putStore(['bp/a:1']);
    const { dependencies } = await reconcile();
    expect(dependencies).toEqual([]);
    expect(world.cluster.requests.filter(({ path }) => /secrets|serviceaccounts/.test(path))).toEqual([]);
  });

  it('04#4 writes nothing when nothing is new', async () => {
    putStore(['bp/a:1']);
    await reconcile();
    expect((await reconcile()).statusWrites).toBe(0);
  });

  it('asks one HEAD per source and reads nothing while their digests stay', async () => {
    putStore(['bp/a:1', 'bp/b:1']);
    const { memory } = await reconcile();
    world.registry.clearRequests();
    await reconcile(memory);
    expect(world.registry.requests.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual([
      'HEAD /v2/bp/a/manifests/1',
      'HEAD /v2/bp/b/manifests/1',
    ]);
  });

  it('takes in what was pushed under the same tag', async () => {
    putStore(['bp/a:1']);
    const { memory } = await reconcile();
    storeBuildpackage(world.registry, 'bp/a:1', 'a@2', 'newer');
    await reconcile(memory);
    expect(status().buildpacks).toMatchObject([{ id: 'a', version: '2' }]);
  });

  it('is left alone when every source is a digest', async () => {
    const digest = storeBuildpackage(world.registry, 'bp/c:1', 'c@1', 'c');
    putStore([`bp/c@${digest}`]);
    expect((await reconcile()).outcome).toEqual({ done: true });
  });

  it('04#5 04#23 says what is wrong with a source and lists nothing', async () => {
    storeDockerImage(world.registry, 'bp/bad:1');
    putStore(['bp/a:1', 'bp/bad:1']);
    const { outcome } = await reconcile();
    expect(outcome).toBeInstanceOf(ExpectedError);
    expect(status()).toMatchObject({
      conditions: [{ type: 'Ready', status: 'False', message: 'could not find label io.buildpacks.buildpack.layers' }],
    });
    expect(status().buildpacks).toBeUndefined();
  });

  it.each([
    ['04#12', 404, 'slow'],
    ['04#13', 401, 'slow'],
    ['04#13', 403, 'slow'],
    ['04#14', 503, 'soon'],
  ] as const)('%s keeps its last good list when the registry answers %i, and looks again', async (_, code, pace) => {
    putStore(['bp/a:1']);
    await reconcile();
    world.registry.addFault({ kind: 'status', path: /manifests/, status: code, times: 100 });
    const { outcome } = await reconcile();
    expect(outcome).toMatchObject({ pace });
    expect(status().buildpacks).toHaveLength(1);
    expect(status().conditions[0]).toMatchObject({ status: 'False' });
    expect(status().conditions[0]?.message).toContain(`${world.registry.host}/v2/bp/a/manifests/1`);
  });

  it('04#6 keeps its last good list when the registry is gone, where kpack forgets it', async () => {
    putStore(['bp/a:1']);
    await reconcile();
    world.registry.addFault({ kind: 'reset', times: 100 });
    const { outcome } = await reconcile();
    expect(outcome).toBeInstanceOf(ExpectedError);
    expect(status().buildpacks).toHaveLength(1);
  });

  it('refuses a reference that is none, for good', async () => {
    putStore(['UPPER CASE']);
    const { outcome } = await reconcile();
    expect(outcome).toBeInstanceOf(PermanentError);
    expect(status().conditions[0]?.message).toBe(`could not parse reference: ${world.registry.host}/UPPER CASE`);
  });

  it('reads many sources, eight at once and no more', async () => {
    const names = Array.from({ length: 20 }, (_, i) => `many/bp${i}:1`);
    for (const [i, name] of names.entries()) {
      storeBuildpackage(world.registry, name, `bp${i}@1`, name);
    }
    putStore(names);
    const registry = openRegistry();
    let [underWay, most] = [0, 0];
    const counting: Registry = {
      ...registry,
      getManifest: async (...request) => {
        underWay += 1;
        most = Math.max(most, underWay);
        await setTimeout(10);
        const found = await registry.getManifest(...request);
        underWay -= 1;
        return found;
      },
    };
    const ports = { registryFor: () => Promise.resolve(counting), configs: configCache(), pollSeconds: 300 };
    const key = { kind: 'ClusterStore', namespace: '', name: 'store' };
    await runPass(reconcileClusterStore(ports), world.cluster.kube, key);
    expect(status().buildpacks).toHaveLength(20);
    expect(most).toBe(8);
  });
});
