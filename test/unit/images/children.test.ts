/** The SourceResolver and the cache's claim: cases 29–47 of spec 02 §11.2, adoption, and claims on their way out. */
import { describe, expect, it } from 'vitest';
import { ExpectedError, PermanentError } from '../../../lib/errors/expected.ts';
import { KubeError } from '../../../lib/kube/errors.ts';
import { controllerReference } from '../../../lib/kube/object.ts';
import { imageWorld, namespace } from '../../support/image-world.ts';

const volume = (size: string | number, storageClassName?: string) => ({
  cache: { volume: { size, ...(storageClassName === undefined ? {} : { storageClassName }) } },
});
const server = (what: string): KubeError => new KubeError('server', `${what}: out of order`, { status: 500 });
const resolverName = 'SourceResolver some-namespace/image-name-source';
const claimName = 'PersistentVolumeClaim some-namespace/image-name-cache';
const statusWrite = 'replaceStatus Image some-namespace/image-name';

describe('SourceResolver', () => {
  it('02#29 is made with the labels, the account and the source of the Image, and belongs to it', async () => {
    const { pass, resolver, image } = imageWorld({ metadata: { labels: { team: 'a' }, annotations: { note: 'x' } } });
    expect((await pass()).writes).toStrictEqual([`create ${resolverName}`]);
    expect(resolver()).toMatchObject({
      apiVersion: 'kpack.io/v1alpha2',
      metadata: { labels: { team: 'a' }, ownerReferences: [controllerReference(image())] },
      spec: { serviceAccount: 'account', source: image().spec.source },
    });
    expect(resolver()?.metadata).not.toHaveProperty('annotations');
    expect(controllerReference(image())).toMatchObject({ kind: 'Image', controller: true, blockOwnerDeletion: true });
  });

  it('02#30 is left alone when equal, annotations of others included', async () => {
    const { pass, kube, resolver } = imageWorld();
    await pass();
    await pass();
    kube.edit(
      'SourceResolver',
      'image-name-source',
      (now) => ({ ...now, metadata: { ...now.metadata, annotations: { foreign: 'x' } } }),
      namespace,
    );
    expect((await pass()).writes).toStrictEqual([]);
    expect(resolver()?.metadata.annotations).toStrictEqual({ foreign: 'x' });
  });

  it('02#31 follows the spec, and keeps its owner', async () => {
    const { pass, want, resolver, image } = imageWorld();
    await pass();
    const source = { git: { url: 'https://git.example/other', revision: 'next' } };
    want({ serviceAccountName: 'other', source });
    expect((await pass()).writes).toStrictEqual([`replace ${resolverName}`, statusWrite]);
    expect(resolver()?.spec).toStrictEqual({ serviceAccount: 'other', source });
    expect(resolver()?.metadata.ownerReferences).toStrictEqual([controllerReference(image())]);
  });

  it('02#32 has exactly the labels of the Image', async () => {
    const { pass, kube, resolver } = imageWorld({ metadata: { labels: { old: 'x' } } });
    await pass();
    await pass();
    const label = (labels: Record<string, string>) => (now: { readonly metadata: object }) => ({
      ...now.metadata,
      labels,
    });
    kube.edit(
      'SourceResolver',
      'image-name-source',
      (now) => ({ ...now, metadata: { ...now.metadata, ...label({ old: 'x', foreign: 'y' })(now) } }),
      namespace,
    );
    kube.edit(
      'Image',
      'image-name',
      (now) => ({ ...now, metadata: { ...now.metadata, ...label({ new: 'z' })(now) } }),
      namespace,
    );
    expect((await pass()).writes).toStrictEqual([`replace ${resolverName}`]);
    expect(resolver()?.metadata.labels).toStrictEqual({ new: 'z' });
  });

  it('02#33 after a change of its spec nothing is built before it was resolved again; after one of its labels something may', async () => {
    const { pass, want, resolve, ready, builds, kube } = imageWorld();
    await pass();
    resolve();
    want({ source: { git: { url: 'https://git.example/other', revision: 'next' } } });
    await pass();
    expect(ready()?.reason).toBe('ResolverNotReady');
    resolve();
    const labels = { team: 'a' };
    kube.edit('Image', 'image-name', (now) => ({ ...now, metadata: { ...now.metadata, labels } }), namespace);
    expect((await pass()).writes).toStrictEqual([
      `replace ${resolverName}`,
      'create Build some-namespace/image-name-build-1',
      statusWrite,
    ]);
    expect(builds()).toHaveLength(1);
  });

  it('02#34 when it cannot be made the claim stays and the condition says why (kpack says nothing)', async () => {
    const { pass, kube, ready, image } = imageWorld({ spec: volume('1Gi') });
    kube.failNext('create', /SourceResolver/, server('POST sourceresolvers'));
    const { outcome, writes } = await pass();
    expect(outcome).toBeInstanceOf(ExpectedError);
    expect(writes).toStrictEqual([`create ${claimName}`, `create ${resolverName}`, statusWrite]);
    expect(ready()).toMatchObject({ reason: 'Retrying', message: 'POST sourceresolvers: out of order' });
    expect(image().status).toMatchObject({ buildCacheName: 'image-name-cache' });
    expect(image().status).not.toHaveProperty('observedGeneration');
  });

  it('02#35 that was deleted is made again, though not while a Build runs', async () => {
    const { pass, kube, resolver, resolve, finish, firstBuild } = imageWorld();
    await firstBuild();
    kube.remove('SourceResolver', 'image-name-source', namespace);
    await pass();
    expect(resolver()).toBeDefined();
    resolve({ git: { url: 'https://git.example/app', revision: 'b'.repeat(40), type: 'Branch' } });
    await pass();
    kube.remove('SourceResolver', 'image-name-source', namespace);
    await pass();
    expect(resolver()).toBeUndefined();
    finish(2, { conditions: [{ type: 'Succeeded', status: 'True' }] });
    await pass();
    expect(resolver()).toBeDefined();
  });

  it('of an earlier Image of this name is waited for; one that nobody controls is adopted', async () => {
    const { pass, kube, ready, resolver, image } = imageWorld();
    await pass();
    const controlledBy = (uid: string) =>
      kube.edit(
        'SourceResolver',
        'image-name-source',
        (now) => ({
          ...now,
          metadata: { ...now.metadata, ownerReferences: [{ ...controllerReference(image()), uid }] },
        }),
        namespace,
      );
    controlledBy('an-earlier-one');
    expect((await pass()).outcome).toBeInstanceOf(ExpectedError);
    expect(ready()?.message).toContain('does not belong to this Image');
    kube.edit(
      'SourceResolver',
      'image-name-source',
      (now) => ({ ...now, metadata: { ...now.metadata, ownerReferences: [] } }),
      namespace,
    );
    expect((await pass()).writes).toStrictEqual([`replace ${resolverName}`, statusWrite]);
    expect(resolver()?.metadata.ownerReferences).toStrictEqual([controllerReference(image())]);
    expect((await pass()).writes).toStrictEqual([]);
  });
});

describe('claim of the cache', () => {
  it('02#36 is made with the size, the labels and the Image as owner', async () => {
    const { pass, kube, image } = imageWorld({ spec: volume('1.5'), metadata: { labels: { team: 'a' } } });
    expect((await pass()).writes).toStrictEqual([`create ${claimName}`, `create ${resolverName}`]);
    await pass();
    const claim = kube.find('PersistentVolumeClaim', 'image-name-cache', namespace);
    expect(claim).toMatchObject({
      metadata: { labels: { team: 'a' }, ownerReferences: [controllerReference(image())] },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1.5' } } },
    });
    expect(claim?.spec).not.toHaveProperty('storageClassName');
    expect(image().status?.buildCacheName).toBe('image-name-cache');
  });

  it('02#37 has the storage class that was asked for', async () => {
    const { pass, kube } = imageWorld({ spec: volume('1.5', 'c') });
    await pass();
    expect(kube.find('PersistentVolumeClaim', 'image-name-cache', namespace)?.spec?.storageClassName).toBe('c');
  });

  it('02#38 and 02#41 another class, or the same size written otherwise, changes nothing', async () => {
    const { pass, want } = imageWorld({ spec: volume('1024Mi') });
    await pass();
    want(volume('1Gi', 'c'));
    expect((await pass()).writes).toStrictEqual([statusWrite]);
    expect((await pass()).writes).toStrictEqual([]);
  });

  it('02#39 and 02#40 grows, and takes over the labels; what else is in its spec stays', async () => {
    const { pass, kube, want } = imageWorld({ spec: volume('1.5') });
    await pass();
    kube.edit(
      'PersistentVolumeClaim',
      'image-name-cache',
      (now) => ({ ...now, spec: { ...now.spec, volumeName: 'pv-1' } }),
      namespace,
    );
    want(volume('2.5'));
    kube.edit(
      'Image',
      'image-name',
      (now) => ({ ...now, metadata: { ...now.metadata, labels: { team: 'a' } } }),
      namespace,
    );
    expect((await pass()).writes[0]).toBe(`replace ${claimName}`);
    expect(kube.find('PersistentVolumeClaim', 'image-name-cache', namespace)).toMatchObject({
      metadata: { labels: { team: 'a' } },
      spec: { resources: { requests: { storage: '2.5' } }, volumeName: 'pv-1' },
    });
    kube.edit(
      'Image',
      'image-name',
      (now) => ({ ...now, metadata: { ...now.metadata, labels: { team: 'b' } } }),
      namespace,
    );
    await pass();
    expect(kube.find('PersistentVolumeClaim', 'image-name-cache', namespace)?.metadata?.labels).toStrictEqual({
      team: 'b',
    });
  });

  it.each([
    ['nothing', {}],
    ['a registry', { registry: { tag: 'registry.example/cache' } }],
    ['a volume without a size', { volume: { storageClassName: 'c' } }],
  ])('02#42 goes when %s is wanted instead', async (_what, cache) => {
    const { pass, want, kube, image } = imageWorld({ spec: volume('1Gi') });
    await pass();
    want({ cache });
    expect((await pass()).writes).toStrictEqual([`delete ${claimName}`, statusWrite]);
    expect(kube.all('PersistentVolumeClaim')).toStrictEqual([]);
    expect(image().status).not.toHaveProperty('buildCacheName');
    expect(await pass()).toMatchObject({ writes: [], reads: 3 });
  });

  it('02#43 none wanted and none there: not even asked for, once the spec was looked at', async () => {
    const { pass, kube } = imageWorld();
    await pass();
    await pass();
    expect(kube.calls.some(({ what }) => what.startsWith('PersistentVolumeClaim'))).toBe(false);
  });

  it('02#44 that may not be changed stops the Image, and the condition says so (kpack says nothing)', async () => {
    const { pass, want, kube, ready, builds, resolve } = imageWorld({ spec: volume('1Gi') });
    await pass();
    resolve();
    want(volume('2Gi'));
    kube.failNext(
      'replace',
      /PersistentVolumeClaim/,
      new KubeError('forbidden', 'PUT claim: forbidden', { status: 403, pace: 'slow' }),
    );
    await pass();
    expect(ready()).toMatchObject({ status: 'Unknown', reason: 'Retrying', message: 'PUT claim: forbidden' });
    want(volume('500Mi'));
    kube.failNext(
      'replace',
      /PersistentVolumeClaim/,
      new PermanentError('Invalid', 'spec.resources.requests.storage: field can not be less'),
    );
    expect((await pass()).outcome).toBeInstanceOf(PermanentError);
    expect(ready()).toMatchObject({ status: 'False', reason: 'Invalid' });
    expect(builds()).toStrictEqual([]);
  });

  it('02#45 and 02#46 is used by the Build that is made in the same pass (kpack builds that one without a cache)', async () => {
    const { pass, firstBuild, resolve, want, build } = imageWorld();
    await firstBuild();
    resolve({ git: { url: 'https://git.example/app', revision: 'b'.repeat(40), type: 'Branch' } });
    want(volume('1Gi'));
    expect((await pass()).writes).toStrictEqual([
      `create ${claimName}`,
      'create Build some-namespace/image-name-build-2',
      statusWrite,
    ]);
    expect(build(2)?.spec.cache).toStrictEqual({ volume: { persistentVolumeClaimName: 'image-name-cache' } });
  });

  it('02#47 a registry cache, or none', async () => {
    const registry = imageWorld({ spec: { cache: { registry: { tag: 'r/c' } } } });
    await registry.firstBuild();
    expect(registry.build(1)?.spec.cache).toStrictEqual({ registry: { tag: 'r/c' } });
    const none = imageWorld();
    await none.firstBuild();
    expect(none.build(1)?.spec.cache).toStrictEqual({});
  });

  it('of somebody else is neither used, changed nor deleted', async () => {
    const { pass, kube, ready, want } = imageWorld({ spec: volume('1Gi') });
    kube.put({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'image-name-cache', namespace } });
    expect((await pass()).outcome).toBeInstanceOf(ExpectedError);
    expect(ready()?.message).toContain(
      'PersistentVolumeClaim image-name-cache exists but does not belong to this Image',
    );
    want({ cache: {} });
    await pass();
    expect(kube.all('PersistentVolumeClaim')).toHaveLength(1);
  });

  it('on its way out is waited for, since no pod could use it', async () => {
    const { pass, kube, want, ready, builds, resolve } = imageWorld({ spec: volume('1Gi') });
    await pass();
    resolve();
    const finalizers = ['kubernetes.io/pvc-protection'];
    kube.edit(
      'PersistentVolumeClaim',
      'image-name-cache',
      (now) => ({ ...now, metadata: { ...now.metadata, finalizers } }),
      namespace,
    );
    want({ cache: {} });
    kube.dieAfterWrites(1);
    await expect(pass()).rejects.toThrow('died');
    kube.live();
    want(volume('1Gi'));
    expect((await pass()).outcome).toBeInstanceOf(ExpectedError);
    expect(ready()?.message).toBe(
      'PersistentVolumeClaim image-name-cache is being deleted: it is waited for until it is gone',
    );
    expect(builds()).toStrictEqual([]);
    kube.remove('PersistentVolumeClaim', 'image-name-cache', namespace);
    await pass();
    expect(builds()).toHaveLength(1);
  });

  it('is still dropped when the pass that made it died, or failed, before the status could name it', async () => {
    const dead = imageWorld({ spec: volume('1Gi') });
    dead.kube.dieAfterWrites(1);
    await expect(dead.pass()).rejects.toThrow('died');
    dead.kube.live();
    dead.want({ cache: {} });
    await dead.pass();
    expect(dead.kube.all('PersistentVolumeClaim')).toStrictEqual([]);

    const failed = imageWorld({ spec: volume('1Gi') });
    failed.kube.failNext('create', /SourceResolver/, server('POST'));
    await failed.pass();
    failed.want({ cache: {} });
    await failed.pass();
    expect(failed.kube.all('PersistentVolumeClaim')).toStrictEqual([]);
  });
});

describe('the polling interval', () => {
  const annotation = 'image.kpack.io/pollInterval';

  it('is handed on to the SourceResolver, changed and taken away with the Image’s; others’ annotations stay', async () => {
    const world = imageWorld({ metadata: { annotations: { [annotation]: '5m', other: 'x' } } });
    const interval = (value: string | undefined): void => {
      world.kube.edit(
        'Image',
        'image-name',
        (now) => ({
          ...now,
          metadata: { ...now.metadata, annotations: value === undefined ? {} : { [annotation]: value } },
        }),
        namespace,
      );
    };
    await world.pass();
    expect(world.resolver()?.metadata.annotations).toEqual({ [annotation]: '5m' });
    world.kube.edit(
      'SourceResolver',
      'image-name-source',
      (now) => ({ ...now, metadata: { ...now.metadata, annotations: { ...now.metadata.annotations, theirs: 'y' } } }),
      namespace,
    );
    interval('0');
    await world.pass();
    expect(world.resolver()?.metadata.annotations).toEqual({ [annotation]: '0', theirs: 'y' });
    expect(world.resolver()?.metadata.generation).toBe(1);
    interval(undefined);
    await world.pass();
    expect(world.resolver()?.metadata.annotations).toEqual({ theirs: 'y' });
  });
});
