/** The cache of an Image: its claim, cases 36–47 of spec 02 §11.2, and its image. Whatever is wrong with it, builds go on. */
import { describe, expect, it } from 'vitest';
import { ExpectedError, PermanentError } from '../../../lib/errors/expected.ts';
import { KubeError } from '../../../lib/kube/errors.ts';
import { controllerReference } from '../../../lib/kube/object.ts';
import { digest, goodStatus, imageWorld, namespace } from '../../support/image-world.ts';

const volume = (size: string | number, storageClassName?: string) => ({
  cache: { volume: { size, ...(storageClassName === undefined ? {} : { storageClassName }) } },
});
const server = (what: string): KubeError => new KubeError('server', `${what}: out of order`, { status: 500 });
const resolverName = 'SourceResolver some-namespace/image-name-source';
const claimName = 'PersistentVolumeClaim some-namespace/image-name-cache';
const statusWrite = 'replaceStatus Image some-namespace/image-name';

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

  const cacheReady = (world: ReturnType<typeof imageWorld>) =>
    (world.image().status?.conditions ?? []).find(({ type }) => type === 'CacheReady');
  const forbidden = (message: string) => new KubeError('forbidden', message, { status: 403, pace: 'slow' });
  const refuse = (world: ReturnType<typeof imageWorld>, message: string): void => {
    for (let time = 0; time < 9; time += 1) world.kube.failNext('create', /PersistentVolumeClaim/, forbidden(message));
  };

  it.each([
    [
      'whose class cannot grow',
      forbidden(
        'persistentvolumeclaims "image-name-cache" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
      ),
    ],
    ['that a quota does not let grow', forbidden('exceeded quota: q')],
    ['that is invalid so', new PermanentError('Invalid', 'spec: Forbidden: spec is immutable after creation')],
  ])(
    '02#44 05#23 %s is used as it is, and a condition says why (kpack builds no more, and says nothing)',
    async (_, error) => {
      const world = imageWorld({ spec: volume('1Gi') });
      await world.firstBuild();
      world.want({ ...volume('2Gi'), serviceAccountName: 'other' });
      world.kube.failNext('replace', /PersistentVolumeClaim/, error);
      await world.pass();
      expect(cacheReady(world)).toMatchObject({
        status: 'False',
        reason: 'CacheNotGrown',
        message: `PersistentVolumeClaim image-name-cache stays at 1Gi instead of 2Gi: ${error.message}`,
      });
      expect(world.image().status?.buildCacheName).toBe('image-name-cache');
      await world.pass();
      expect(cacheReady(world)).toBeUndefined();
    },
  );

  it('that others made larger is left alone, as no claim shrinks', async () => {
    const world = imageWorld({ spec: volume('1Gi') });
    await world.pass();
    const resources = { requests: { storage: '3Gi' } };
    world.kube.edit(
      'PersistentVolumeClaim',
      'image-name-cache',
      (now) => ({ ...now, spec: { ...now.spec, resources } }),
      namespace,
    );
    expect((await world.pass()).writes).toStrictEqual([statusWrite]);
    world.want(volume('500Mi'));
    await world.pass();
    expect(world.kube.find('PersistentVolumeClaim', 'image-name-cache', namespace)?.spec?.resources).toStrictEqual(
      resources,
    );
    expect(cacheReady(world)).toBeUndefined();
  });

  it('keeps labels and annotations that others put there', async () => {
    const world = imageWorld({ spec: volume('1Gi'), metadata: { labels: { team: 'a' } } });
    await world.pass();
    const metadata = {
      labels: { team: 'a', 'velero.io/backup': 'no' },
      annotations: { 'volume.kubernetes.io/selected-node': 'n' },
    };
    world.kube.edit(
      'PersistentVolumeClaim',
      'image-name-cache',
      (now) => ({ ...now, metadata: { ...now.metadata, ...metadata } }),
      namespace,
    );
    expect((await world.pass()).writes).toStrictEqual([statusWrite]);
    world.want(volume('2Gi'));
    await world.pass();
    expect(world.kube.find('PersistentVolumeClaim', 'image-name-cache', namespace)?.metadata).toMatchObject(metadata);
  });

  it.each([
    [
      'that a quota does not let be made',
      (world: ReturnType<typeof imageWorld>) => refuse(world, 'exceeded quota: q'),
      'exceeded quota: q',
    ],
    [
      'that we may not make',
      (world: ReturnType<typeof imageWorld>) => refuse(world, 'User "kpackless" cannot create resource'),
      'cannot create resource',
    ],
    [
      'of somebody else',
      (world: ReturnType<typeof imageWorld>) =>
        world.kube.put({
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          metadata: { name: 'image-name-cache', namespace },
        }),
      'exists but does not belong to this Image',
    ],
  ])('%s is gone without, and a condition says why', async (_, prepare, words) => {
    const world = imageWorld({ spec: volume('1Gi') });
    prepare(world);
    await world.firstBuild();
    expect(world.build(1)?.spec.cache).toStrictEqual({});
    expect(cacheReady(world)).toMatchObject({
      status: 'False',
      reason: 'CacheUnusable',
      message: expect.stringContaining(words) as string,
    });
    expect(world.ready()?.reason).toBe('UpToDate');
  });

  it.each([
    ['lost its volume', { status: { phase: 'Lost' } }, 'has lost its volume'],
    ['is read alone', { spec: { accessModes: ['ReadOnlyMany'] } }, 'cannot be written (ReadOnlyMany)'],
    ['is no file system', { spec: { volumeMode: 'Block' } }, 'is no file system (Block)'],
    [
      'is held by somebody while it is being deleted',
      { metadata: { deletionTimestamp: '2020-01-01T00:00:00Z', finalizers: ['x/y'] } },
      'is being deleted, and held by x/y',
    ],
  ])('that %s is gone without, and a condition says why', async (_, change, words) => {
    const world = imageWorld({ spec: volume('1Gi') });
    await world.pass();
    const changed: { readonly metadata?: object; readonly spec?: object; readonly status?: object } = change;
    world.kube.edit(
      'PersistentVolumeClaim',
      'image-name-cache',
      (now) => ({
        ...now,
        ...changed,
        metadata: { ...now.metadata, ...changed.metadata },
        spec: { ...now.spec, ...changed.spec },
      }),
      namespace,
    );
    world.resolve();
    await world.pass();
    expect(world.build(1)?.spec.cache).toStrictEqual({});
    expect(cacheReady(world)).toMatchObject({
      reason: 'CacheUnusable',
      message: expect.stringContaining(words) as string,
    });
    // While a Build runs the claim is not looked at, and what was said of it stays.
    await world.pass();
    expect(cacheReady(world)).toMatchObject({ reason: 'CacheUnusable' });
  });

  it('is waited for while the API server cannot make it now', async () => {
    const world = imageWorld({ spec: volume('1Gi') });
    world.kube.failNext('create', /PersistentVolumeClaim/, server('POST persistentvolumeclaims'));
    expect((await world.pass()).outcome).toBeInstanceOf(ExpectedError);
    expect(world.ready()?.reason).toBe('Retrying');
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

  it('of somebody else is neither changed nor deleted', async () => {
    const { pass, kube, want } = imageWorld({ spec: volume('1Gi') });
    kube.put({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'image-name-cache', namespace } });
    await pass();
    want({ cache: {} });
    await pass();
    expect(kube.all('PersistentVolumeClaim')).toHaveLength(1);
    expect(
      kube.calls.filter(
        ({ verb, what }) => verb !== 'get' && verb !== 'create' && what.startsWith('PersistentVolumeClaim'),
      ),
    ).toStrictEqual([]);
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

describe('image of the cache', () => {
  it.each([
    ['r.example/cache', true],
    ['r.example/cache:other-tag', true],
    ['r.example/moved', false],
    ['other.example/cache', false],
    ['not a name', false],
  ])('02#105 is handed on only where the Image keeps its cache now: %s', async (tag, isHandedOn) => {
    const image = `r.example/cache@${digest('c')}`;
    const world = imageWorld({ spec: { cache: { registry: { tag } } } });
    await world.firstBuild({ ...goodStatus, latestCacheImage: image });
    world.resolve({ git: { url: 'https://git.example/app', revision: 'b'.repeat(40), type: 'Branch' } });
    await world.pass();
    expect(world.build(2)?.spec.lastBuild?.cache).toStrictEqual(isHandedOn ? { image } : {});
    world.finish(2, { conditions: [{ type: 'Succeeded', status: 'False' }] });
    world.want({ cache: { registry: { tag: 'r.example/elsewhere' } } });
    world.resolve({ git: { url: 'https://git.example/app', revision: 'c'.repeat(40), type: 'Branch' } });
    await world.pass();
    expect(world.build(3)?.spec.lastBuild?.cache).toStrictEqual({});
  });
});
