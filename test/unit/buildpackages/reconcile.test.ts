import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BuilderWorld, builderWorld } from '../../support/builder-world.ts';
import { storeBuildpackage } from '../../support/buildpack-images.ts';

describe('a buildpackage object', () => {
  let world: BuilderWorld;

  beforeEach(async () => {
    world = await builderWorld();
    storeBuildpackage(world.registry, 'bp/a:1', 'a@1');
  });
  afterEach(() => world.registry.close());

  const put = (kind: string, more: Readonly<Record<string, unknown>> = {}): void =>
    world.put(kind, 'bp', { spec: { image: `${world.registry.host}/bp/a:1`, ...more } });

  it('04#7 Buildpack reads with its account in its namespace', async () => {
    put('Buildpack', { serviceAccountName: 'sa' });
    const { dependencies } = await world.reconcile('Buildpack', 'bp');
    expect(world.accounts).toEqual([{ namespace: 'ns', serviceAccount: 'sa' }]);
    expect(dependencies).toEqual([{ kind: 'ServiceAccount', namespace: 'ns', name: 'sa' }]);
    expect(world.status('Buildpack', 'bp')).toMatchObject({ buildpacks: [{ id: 'a' }] });
  });

  it('04#8 Buildpack without an account uses none of the cluster', async () => {
    put('Buildpack');
    await world.reconcile('Buildpack', 'bp');
    expect(world.accounts).toEqual([{ namespace: '', serviceAccount: '' }]);
  });

  it('04#9 ClusterBuildpack reads with the account it names', async () => {
    put('ClusterBuildpack', { serviceAccountRef: { name: 'sa', namespace: 'other' } });
    await world.reconcile('ClusterBuildpack', 'bp');
    expect(world.accounts).toEqual([{ namespace: 'other', serviceAccount: 'sa' }]);
    expect(world.status('ClusterBuildpack', 'bp')).toMatchObject({ conditions: [{ status: 'True' }] });
  });

  it('04#11 says when its credentials cannot be read, before any registry is asked', async () => {
    put('Buildpack', { serviceAccountName: 'sa' });
    world.cluster.failNext('GET', '/serviceaccounts/sa', 403);
    await world.reconcile('Buildpack', 'bp');
    expect(world.status('Buildpack', 'bp').conditions[0]).toMatchObject({ type: 'Ready', status: 'False' });
    expect(world.registry.requests).toEqual([]);
  });
});
