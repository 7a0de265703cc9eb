/** `kpackless migrate`: what it refuses, and what it says. What it does is tested on a real API server (test/contract/migration). */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { definitionOf } from '../../../infra/crds/definition.ts';
import { kindNames } from '../../../lib/api/kinds.ts';
import { kubeClient } from '../../../lib/kube/client.ts';
import type { KubeObject } from '../../../lib/kube/object.ts';
import { collectionPath } from '../../../lib/kube/resources.ts';
import { commandWorld, type Ran } from '../../support/command-run.ts';
import { type FakeCluster, fakeCluster } from '../../support/fake-cluster.ts';
import { kpackDefinition, kpackParts, kpackWebhooks } from '../../support/kpack-release.ts';

const webhook = { port: 443, caBundle: 'AAAA' };

describe('migrate', () => {
  let cluster: FakeCluster;
  let folder: string;

  const put = (...objects: readonly KubeObject[]): void => {
    for (const object of objects) cluster.put(collectionPath(object.kind ?? '', object.metadata?.namespace), object);
  };
  const putKpack = (): void => {
    put(...kpackParts(), ...kpackWebhooks(webhook));
    put(
      ...kindNames.map(
        (kind) => ({ ...kpackDefinition(kind, webhook), status: { storedVersions: ['v1alpha2'] } }) as KubeObject,
      ),
    );
  };
  const run = async (...args: readonly string[]): Promise<Ran> => {
    const { transport } = cluster;
    using world = commandWorld({
      reach: async () => ({ transport, client: kubeClient(transport), close: () => undefined }),
    });
    return await world.run('migrate', ...args);
  };

  beforeEach(() => {
    cluster = fakeCluster();
    folder = mkdtempSync(join(tmpdir(), 'kpackless-migrate-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it.each([['check'], ['run'], ['back', '--backup', 'x']])('%s wants the cluster named', async (...args) => {
    const { code, err } = await run(...args);
    expect(code).not.toBe(0);
    expect(cluster.requests).toStrictEqual([]);
    expect(err).toMatch(/--context NAME or --kubeconfig FILE|x cannot be read/);
  });

  it('run refuses a cluster without kpack, and says how to install', async () => {
    const { code, err } = await run('run', '--context', 'prod');
    expect(code).toBe(1);
    expect(err).toContain(
      'prod has no kpack: there is nothing to take over. To install kpackless there: kpackless cluster add',
    );
    expect(cluster.writes()).toStrictEqual([]);
  });

  it('run refuses a cluster that is kpackless’ already', async () => {
    put(...kindNames.map((kind): KubeObject => definitionOf(kind)));
    const { code, err } = await run('run', '--context', 'prod');
    expect({ code, writes: cluster.writes() }).toStrictEqual({ code: 1, writes: [] });
    expect(err).toContain('is kpackless’ already'.replace('’', "'"));
  });

  it('run refuses a backup that is there, before anything is changed', async () => {
    putKpack();
    const backup = join(folder, 'b.yaml');
    expect((await run('run', '--context', 'prod', '--backup', folder)).err).toContain(`${folder} is there already`);
    expect({ writes: cluster.writes(), backup }).toStrictEqual({ writes: [], backup });
  });

  it('run waits for the pods of kpack-controller, and gives up with their names', async () => {
    putKpack();
    put({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'kpack-controller-1', namespace: 'kpack', labels: { app: 'kpack-controller' } },
    });
    const { code, err } = await run('run', '--context', 'prod', '--backup', join(folder, 'b.yaml'));
    expect(code).toBe(1);
    expect(err).toContain(
      'step 2 of 8, kpack-controller to 0 replicas: Deployment kpack/kpack-controller has no replicas any more',
    );
    expect(err).toContain('kpack-controller-1');
    expect(err).toContain('call the same again, it goes on from there');
    expect(cluster.at('/apis/apps/v1/namespaces/kpack/deployments/kpack-controller').spec).toMatchObject({
      replicas: 0,
    });
  });

  it('back undoes a run that got no further than its second step, and the next one begins with a backup anew', async () => {
    putKpack();
    const path = '/apis/apps/v1/namespaces/kpack/deployments/kpack-controller';
    const pod = { name: 'kpack-controller-1', namespace: 'kpack', labels: { app: 'kpack-controller' } };
    put({ apiVersion: 'v1', kind: 'Pod', metadata: pod });
    const backup = join(folder, 'b.yaml');
    await run('run', '--context', 'prod', '--backup', backup);
    const images = () => cluster.at('/apis/apiextensions.k8s.io/v1/customresourcedefinitions/images.kpack.io').metadata;
    expect(images()['annotations']).toMatchObject({ 'kpackless.io/migration-backup': backup });
    const { code, err } = await run('back', '--context', 'prod', '--backup', backup);
    expect(code === 0 ? '' : err).toBe('');
    expect(cluster.at(path)).toMatchObject({ spec: { replicas: 1 }, metadata: { annotations: {} } });
    expect(images()['annotations']).not.toHaveProperty(['kpackless.io/migration-backup']);
  });

  it('run that was begun elsewhere asks for its backup', async () => {
    putKpack();
    const [images] = [kpackDefinition('Image', webhook)];
    put({
      ...images,
      metadata: { name: 'images.kpack.io', annotations: { 'kpackless.io/migration-backup': '/elsewhere/b.yaml' } },
    });
    const { err } = await run('run', '--context', 'prod');
    expect(err).toContain(
      'wrote /elsewhere/b.yaml, which is not here: bring it here, and name it with --backup if it lies elsewhere',
    );
  });

  it('run refuses a kpack that does not serve v1alpha2', async () => {
    putKpack();
    const { spec } = kpackDefinition('Image', webhook);
    put({ ...kpackDefinition('Image', webhook), spec: { ...spec, versions: spec.versions.slice(0, 1) } } as KubeObject);
    const { code, err } = await run('run', '--context', 'prod', '--backup', join(folder, 'b.yaml'));
    expect({ code, writes: cluster.writes() }).toStrictEqual({ code: 1, writes: [] });
    expect(err).toContain('images.kpack.io does not serve v1alpha2');
  });

  it('check ends well where only migrate run has something to do', async () => {
    putKpack();
    put({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'kp-config', namespace: 'kpack' } });
    put({
      apiVersion: 'kpack.io/v1alpha2',
      kind: 'ClusterLifecycle',
      metadata: { name: 'default-lifecycle' },
      spec: { image: 'lifecycle' },
    } as KubeObject);
    const { code, out } = await run('check', '--context', 'prod');
    expect(out).toMatch(/things looked at, 0 wrong$/m);
    expect({ code, writes: cluster.writes() }).toStrictEqual({ code: 0, writes: [] });
  });

  it('check misses the lifecycle of builders that name none, as before kpack 0.17', async () => {
    putKpack();
    cluster.remove('/apis/apiextensions.k8s.io/v1/customresourcedefinitions/clusterlifecycles.kpack.io');
    const { code, out } = await run('check', '--context', 'prod');
    expect(code).toBe(3);
    expect(out).toMatch(/WRONG +ClusterLifecycle default-lifecycle +is not there/);
  });

  it('check names who would bring kpack back, and fields that would go', async () => {
    putKpack();
    put({
      ...kpackDefinition('Image', webhook),
      metadata: { name: 'images.kpack.io', labels: { 'kapp.k14s.io/app': '1' } },
    });
    put({
      apiVersion: 'kpack.io/v1alpha2',
      kind: 'ClusterStack',
      metadata: { name: 'base' },
      spec: { id: 'x', colour: 'red' },
    } as KubeObject);
    const { code, out } = await run('check', '--context', 'prod');
    expect(code).toBe(3);
    expect(out).toMatch(/WRONG +kept by +kapp: images\.kpack\.io/);
    expect(out).toMatch(/WRONG +ClusterStack base +has fields .*: spec\.colour/);
  });

  it('back refuses a file that is no backup', async () => {
    const { code, err } = await run('back', '--context', 'prod', '--backup', join(folder, 'none.yaml'));
    expect(code).toBe(1);
    expect(err).toContain('none.yaml cannot be read');
  });

  it('back refuses the backup of another cluster', async () => {
    putKpack();
    const backup = join(folder, 'b.yaml');
    // It ends at the first apply, which this fake has not; the backup is whole by then.
    await run('run', '--context', 'prod', '--backup', backup);
    cluster = fakeCluster();
    putKpack();
    put({ ...kpackDefinition('Image', webhook), metadata: { name: 'images.kpack.io', uid: 'another' } });
    const { code, err } = await run('back', '--context', 'prod', '--backup', backup);
    expect({ code, writes: cluster.writes() }).toStrictEqual({ code: 1, writes: [] });
    expect(err).toContain('the backup is of another cluster than prod');
  });
});
