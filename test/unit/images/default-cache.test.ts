/** Images that say nothing of a cache: kpack's webhook gives them one of 2G where a default StorageClass exists. */
import { describe, expect, it } from 'vitest';
import { defaultClass } from '../../../lib/images/default-cache.ts';
import { KubeError } from '../../../lib/kube/errors.ts';
import { FakeKube } from '../../support/fake-kube.ts';
import { imageWorld } from '../../support/image-world.ts';

const namespace = 'some-namespace';
const claimName = 'PersistentVolumeClaim some-namespace/image-name-cache';
const unsaid = { spec: { cache: undefined } } as const;

const storageClass = (annotation: string) => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name: 'local', annotations: { 'storageclass.kubernetes.io/is-default-class': annotation } },
});

const sizeOf = (world: ReturnType<typeof imageWorld>): unknown =>
  world.kube.find('PersistentVolumeClaim', 'image-name-cache', namespace)?.spec?.resources?.requests?.['storage'];

describe('an Image without a cache', () => {
  it('01#2 gets a claim of 2G where there is a default class, its status names it and its spec stays as it is', async () => {
    const world = imageWorld(unsaid);
    world.kube.put(storageClass('true'));
    expect((await world.pass()).writes).toContain(`create ${claimName}`);
    expect(sizeOf(world)).toBe('2G');
    await world.pass();
    expect(world.image().status?.buildCacheName).toBe('image-name-cache');
    expect(world.image().spec.cache).toBeUndefined();
    expect((await world.pass()).writes).toStrictEqual([]);
  });

  it.each(['false', 'True', ''])('01#1 gets none where the class says %j to being the default', async (annotation) => {
    const world = imageWorld(unsaid);
    world.kube.put(storageClass(annotation));
    await world.pass();
    await world.pass();
    expect(sizeOf(world)).toBeUndefined();
    expect(world.image().status).not.toHaveProperty('buildCacheName');
  });

  it('is decided once for a spec: a class that comes later changes nothing, and is not looked for', async () => {
    const world = imageWorld(unsaid);
    await world.pass();
    await world.pass();
    world.kube.put(storageClass('true'));
    const looked = () => world.kube.calls.filter(({ what }) => what.startsWith('StorageClass')).length;
    expect((await world.pass()).writes).toStrictEqual([]);
    expect(looked()).toBe(0);
  });

  it('keeps the larger claim it had when it named a size', async () => {
    const world = imageWorld({ spec: { cache: { volume: { size: '5G' } } } });
    world.kube.put(storageClass('true'));
    await world.pass();
    await world.pass();
    world.want({ cache: undefined });
    await world.pass();
    expect(sizeOf(world)).toBe('5G');
  });

  it('gives its claim up when it says so', async () => {
    const world = imageWorld(unsaid);
    world.kube.put(storageClass('true'));
    await world.pass();
    await world.pass();
    world.want({ cache: {} });
    expect((await world.pass()).writes).toContain(`delete ${claimName}`);
  });

  it('builds without one where classes may not be listed', async () => {
    const world = imageWorld(unsaid);
    const forbidden = new KubeError('forbidden', 'GET storageclasses: forbidden', { status: 403, pace: 'slow' });
    world.kube.failNext('list', /StorageClass/, forbidden);
    const { outcome, writes } = await world.pass();
    expect(outcome).not.toBeInstanceOf(Error);
    expect(writes).not.toContain(`create ${claimName}`);
  });

  it('is one of many that cost one list of classes a second', async () => {
    const hasDefault = defaultClass();
    const kube = new FakeKube();
    const ask = (cluster: string, milliseconds: number) => hasDefault({ cluster, kube, now: new Date(milliseconds) });
    expect([await ask('one', 0), await ask('one', 999)]).toStrictEqual([false, false]);
    kube.put(storageClass('true'));
    expect(await ask('one', 999)).toBe(false);
    expect(await ask('two', 999)).toBe(true);
    expect(await ask('one', 1000)).toBe(true);
    expect(kube.calls).toHaveLength(3);
  });
});
