/** The Build that an Image makes, and its number: cases 89–116 of spec 02 §11.4. Whether a Build is a rebase is decided by lib/builds. */
import { describe, expect, it } from 'vitest';
import type { ImageSpec } from '../../../lib/api/image.ts';
import { isRebase } from '../../../lib/builds/pod/is-rebase.ts';
import { PermanentError } from '../../../lib/errors/expected.ts';
import { KubeError } from '../../../lib/kube/errors.ts';
import { controllerReference } from '../../../lib/kube/object.ts';
import {
  badStatus,
  builderStatus,
  digest,
  goodStatus,
  type ImageWorldOptions,
  imageWorld,
  namespace,
  revision,
} from '../../support/image-world.ts';

const additional = 'image.kpack.io/additionalBuildNeeded';
const commit = { git: { url: 'https://git.example/app', revision: revision('b'), type: 'Branch' } } as const;

/** The first Build of such an Image. */
const firstOf = async (options: ImageWorldOptions) => {
  const world = imageWorld(options);
  await world.pass();
  world.resolve();
  const end = await world.pass();
  return { world, end, build: world.kube.all('Build')[0] };
};
const specOf = async (spec: Partial<ImageSpec>) => (await firstOf({ spec })).build?.spec;

describe('number and name', () => {
  it('02#89 the first is number 1, labelled with Image and generation, and belongs to the Image', async () => {
    const { build, world } = await firstOf({});
    expect(build?.metadata).toMatchObject({
      name: 'image-name-build-1',
      namespace,
      labels: {
        'image.kpack.io/buildNumber': '1',
        'image.kpack.io/image': 'image-name',
        'image.kpack.io/imageGeneration': '1',
      },
      ownerReferences: [controllerReference(world.image())],
    });
  });

  it('carries how its steps follow each other, of the Image or else of the builder', async () => {
    const name = 'image.kpack.io/buildSteps';
    const built = async (ofBuilder: string | undefined, ofImage: string | undefined) => {
      const world = imageWorld();
      const annotate = (kind: 'Builder' | 'Image', of: string, value: string | undefined): void => {
        if (value === undefined) return;
        const annotations = { [name]: value };
        world.kube.edit(kind, of, (now) => ({ ...now, metadata: { ...now.metadata, annotations } }), namespace);
      };
      annotate('Builder', 'builder-name', ofBuilder);
      annotate('Image', 'image-name', ofImage);
      await world.pass();
      world.resolve();
      await world.pass();
      return world.kube.all('Build')[0]?.metadata.annotations?.[name];
    };
    expect(await built(undefined, undefined)).toBeUndefined();
    expect(await built('parallel', undefined)).toBe('parallel');
    expect(await built('parallel', 'sequential')).toBe('sequential');
  });

  it('02#90 the next is one more than the last', async () => {
    const { pass, past, resolve, builds, image } = imageWorld();
    past(26, goodStatus);
    await pass();
    resolve(commit);
    await pass();
    expect(builds()).toStrictEqual(['image-name-build-26', 'image-name-build-27']);
    expect(image().status?.buildCounter).toBe(27);
  });

  it('02#91 numbers do not come again when Builds were deleted (kpack begins at 1 again)', async () => {
    const { build } = await firstOf({ status: { buildCounter: 9 } });
    expect(build?.metadata.name).toBe('image-name-build-10');
  });

  it('02#91 nor when the newest was deleted while the pass that made it had died before it could say so', async () => {
    const { pass, resolve, kube, builds } = imageWorld();
    await pass();
    resolve();
    kube.dieAfterWrites(1);
    await expect(pass()).rejects.toThrow('died');
    kube.live();
    await pass();
    kube.remove('Build', 'image-name-build-1', namespace);
    await pass();
    expect(builds()).toStrictEqual(['image-name-build-2']);
  });

  it('02#92 a Build without a number is nobody’s and stops nothing (kpack fails every pass)', async () => {
    const { pass, past, resolve, builds } = imageWorld();
    past(7, goodStatus, { name: 'by-hand', labels: { 'image.kpack.io/image': 'image-name' } });
    await pass();
    resolve();
    await pass();
    expect(builds()).toStrictEqual(['by-hand', 'image-name-build-1']);
  });

  it('Builds of an earlier Image of this name do not count, and their names are waited for', async () => {
    const { pass, past, resolve, kube, ready, image, builds } = imageWorld();
    past(1, goodStatus, { ownerReferences: [{ ...controllerReference(image()), uid: 'an-earlier-one' }] });
    await pass();
    resolve();
    await pass();
    expect(ready()).toMatchObject({ status: 'Unknown', reason: 'Retrying' });
    expect(ready()?.message).toContain('Build image-name-build-1 exists but does not belong to this Image');
    kube.remove('Build', 'image-name-build-1', namespace);
    await pass();
    expect(builds()).toStrictEqual(['image-name-build-1']);
    expect(ready()?.reason).toBe('BuildRunning');
  });

  it('Builds made in one second are told apart by their numbers', async () => {
    const { pass, past, image } = imageWorld();
    const creationTimestamp = '2026-01-01T10:00:00Z';
    past(10, goodStatus, { creationTimestamp });
    past(9, badStatus, { creationTimestamp });
    await pass();
    expect(image().status?.latestBuildRef).toBe('image-name-build-10');
  });

  it('02#93 one that another pass made meanwhile is adopted', async () => {
    const { pass, resolve, kube, builds, image } = imageWorld();
    await pass();
    resolve();
    const [mine, other] = await Promise.all([pass(), pass()]);
    expect(builds()).toStrictEqual(['image-name-build-1']);
    expect([...mine.writes, ...other.writes].length).toBeGreaterThan(0);
    expect(image().status?.latestBuildRef).toBe('image-name-build-1');
    await pass();
    expect(kube.writes).toStrictEqual([]);
  });

  it('02#93 so is one of ours that the list does not show, as it lost its labels', async () => {
    const { pass, past, resolve, image } = imageWorld();
    past(1, {}, { labels: {} });
    await pass();
    resolve();
    expect((await pass()).writes).toStrictEqual([
      'create Build some-namespace/image-name-build-1 (refused)',
      'replaceStatus Image some-namespace/image-name',
    ]);
    expect(image().status).toMatchObject({ latestBuildRef: 'image-name-build-1' });
  });

  it('02#104 a long name of an Image gives a name of 63 characters', async () => {
    const name = 'a23456789-123456789-123456789-123456789-123456789-123456789-123';
    const { build } = await firstOf({ metadata: { name } });
    expect(build?.metadata.name).toHaveLength(63);
    expect(build?.metadata.labels?.['image.kpack.io/image']).toBe(name);
  });
});

describe('labels and annotations', () => {
  it('02#94 those of the Image are copied, and those of kpack win', async () => {
    const { build } = await firstOf({
      metadata: {
        labels: { team: 'a', 'image.kpack.io/buildNumber': '77' },
        annotations: { note: 'keep', 'image.kpack.io/reason': 'mine' },
      },
    });
    expect(build?.metadata.labels).toMatchObject({ team: 'a', 'image.kpack.io/buildNumber': '1' });
    expect(build?.metadata.annotations).toMatchObject({ note: 'keep', 'image.kpack.io/reason': 'CONFIG' });
  });

  it('02#95 a trigger on the Image itself is not copied, so it does not build for ever (as kpack does)', async () => {
    const { build, world } = await firstOf({
      metadata: { annotations: { [additional]: 'x', 'kubectl.kubernetes.io/last-applied-configuration': '{}' } },
    });
    expect(Object.keys(build?.metadata.annotations ?? {}).toSorted()).toStrictEqual([
      'image.kpack.io/buildChanges',
      'image.kpack.io/builderKind',
      'image.kpack.io/builderName',
      'image.kpack.io/reason',
    ]);
    world.finish(1, goodStatus);
    await world.pass();
    expect(world.builds()).toHaveLength(1);
  });

  it('02#97 kind and name of the builder', async () => {
    const world = imageWorld({ spec: { builder: { kind: 'ClusterBuilder', name: 'cb' } } });
    world.kube.put({
      apiVersion: 'kpack.io/v1alpha2',
      kind: 'ClusterBuilder',
      metadata: { name: 'cb' },
      status: builderStatus,
    });
    await world.firstBuild();
    expect(world.build(1)?.metadata.annotations).toMatchObject({
      'image.kpack.io/builderKind': 'ClusterBuilder',
      'image.kpack.io/builderName': 'cb',
    });
  });
});

describe('spec', () => {
  it('02#96 builder and run image are those of the builder, without pull secrets', async () => {
    const spec = await specOf({});
    expect(spec?.builder).toStrictEqual({ image: builderStatus.latestImage });
    expect(spec?.runImage).toStrictEqual({ image: builderStatus.stack?.runImage });
  });

  it('02#98 without numbered tags the list is tag and additional tags', async () => {
    const spec = await specOf({ imageTaggingStrategy: 'None', additionalTags: ['r.example/a:1', 'r.example/b:2'] });
    expect(spec?.tags).toStrictEqual(['registry.example/app', 'r.example/a:1', 'r.example/b:2']);
  });

  it.each([
    ['02#100 no tag', 'gcr.io/i/notags', 'gcr.io/i/notags:b1.20260101.100002'],
    ['02#99 a tag', 'gcr.io/i/foo:test', 'gcr.io/i/foo:test-b1.20260101.100002'],
    ['02#101 latest', 'gcr.io/i/foo:latest', 'gcr.io/i/foo:b1.20260101.100002'],
    ['02#102 Docker Hub', 'some/app', 'index.docker.io/some/app:b1.20260101.100002'],
  ])('%s: the numbered tag has number and time', async (_name, tag, numbered) => {
    const spec = await specOf({ tag, additionalTags: ['x.example/a', 'x.example/b'] });
    expect(spec?.tags).toStrictEqual([tag, numbered, 'x.example/a', 'x.example/b']);
  });

  it('02#103 a tag with a digest is said in the condition (kpack tries a Build without tags for ever)', async () => {
    const { end, world } = await firstOf({ spec: { tag: `gcr.io/i/foo@${digest('a')}` } });
    expect(end.outcome).toBeInstanceOf(PermanentError);
    expect(world.builds()).toStrictEqual([]);
    expect(world.ready()?.status).toBe('False');
    expect(world.image().status?.observedGeneration).toBe(1);
  });

  it('02#105 follows a success with its image, its cache and its stack', async () => {
    const world = imageWorld();
    await world.firstBuild({ ...goodStatus, latestCacheImage: `r.example/cache@${digest('c')}` });
    world.resolve(commit);
    await world.pass();
    expect(world.build(2)?.spec.lastBuild).toStrictEqual({
      image: goodStatus.latestImage,
      cache: { image: `r.example/cache@${digest('c')}` },
      stackId: 'stack',
    });
  });

  it('02#106 follows a failure with what that followed', async () => {
    const world = imageWorld();
    await world.firstBuild(badStatus);
    world.resolve(commit);
    await world.pass();
    expect(world.build(2)?.spec).not.toHaveProperty('lastBuild');
    world.finish(2, goodStatus);
    world.resolve();
    await world.pass();
    world.finish(3, badStatus);
    world.resolve(commit);
    await world.pass();
    expect(world.build(4)?.spec.lastBuild).toStrictEqual(world.build(3)?.spec.lastBuild);
    expect(world.build(4)?.spec.lastBuild?.image).toBe(goodStatus.latestImage);
  });

  it('02#107 everything about the pod is carried over, the time-out as deadline', async () => {
    const pod = {
      tolerations: [{ key: 'k', operator: 'Exists' }],
      nodeSelector: { disk: 'fast' },
      affinity: { nodeAffinity: {} },
      runtimeClassName: 'gvisor',
      schedulerName: 'mine',
    };
    const spec = await specOf({ build: { ...pod, buildTimeout: 1800 } });
    expect(spec).toMatchObject({ ...pod, activeDeadlineSeconds: 1800 });
    expect(spec).not.toHaveProperty('buildTimeout');
  });

  it('02#108 without spec.build none of it is there', async () => {
    expect(Object.keys((await specOf({})) ?? {}).toSorted()).toStrictEqual([
      'builder',
      'cache',
      'resources',
      'runImage',
      'serviceAccountName',
      'source',
      'tags',
    ]);
  });

  it('02#109 and 02#110 signing, creation time, process and descriptor are copied', async () => {
    const copied = {
      notary: { v1: { url: 'https://notary.example', secretRef: { name: 's' } } },
      cosign: { annotations: [{ name: 'a', value: 'b=c' }] },
      defaultProcess: 'web',
      projectDescriptorPath: 'sub/project.toml',
    };
    const spec = await specOf({ ...copied, build: { creationTime: 'now' } });
    expect(spec).toMatchObject({ ...copied, creationTime: 'now' });
  });

  it('02#111 no priority class unless asked for', async () => {
    expect(await specOf({})).not.toHaveProperty('priorityClassName');
  });

  it('02#112 what people wait for goes first', async () => {
    const world = imageWorld({ priorityClasses: true });
    await world.firstBuild();
    expect(world.build(1)?.spec.priorityClassName).toBe('kpack-build-high-priority');
    const stack = { id: 'stack', runImage: `registry.example/run@${digest('3')}` };
    world.offer({ latestImage: `registry.example/builder@${digest('9')}`, stack });
    await world.pass();
    expect(world.build(2)?.spec.priorityClassName).toBe('kpack-build-low-priority');
  });

  it('02#113 a Build that the API refuses is said in the condition (kpack tries for ever, silently)', async () => {
    const world = imageWorld();
    await world.pass();
    world.resolve();
    world.kube.failNext(
      'create',
      /Build/,
      new PermanentError('Invalid', 'spec.env[0].valueFrom.secretKeyRef is not supported'),
    );
    expect((await world.pass()).outcome).toBeInstanceOf(PermanentError);
    expect(world.ready()).toMatchObject({
      status: 'False',
      reason: 'Invalid',
      message: 'spec.env[0].valueFrom.secretKeyRef is not supported',
    });
  });

  it('02#113 while one that it could not take just now is tried again', async () => {
    const world = imageWorld();
    await world.pass();
    world.resolve();
    world.kube.failNext(
      'create',
      /Build/,
      new KubeError('throttled', 'POST builds: too many requests', { status: 429 }),
    );
    await world.pass();
    expect(world.ready()).toMatchObject({ status: 'Unknown', reason: 'Retrying' });
    await world.pass();
    expect(world.builds()).toHaveLength(1);
  });
});

describe('after it was made', () => {
  it('02#114 the status tells of the new Build, and of the last image that there is', async () => {
    const world = imageWorld();
    await world.firstBuild();
    world.want({ projectDescriptorPath: 'x' });
    world.resolve(commit);
    await world.pass();
    expect(world.image().status).toMatchObject({
      latestBuildRef: 'image-name-build-2',
      latestBuildReason: 'COMMIT',
      latestBuildImageGeneration: 2,
      latestImage: goodStatus.latestImage,
      buildCounter: 2,
    });
    expect(world.image().status).not.toHaveProperty('latestStack');
    expect(world.ready()).toMatchObject({
      status: 'Unknown',
      reason: 'BuildRunning',
      message: "Build 'image-name-build-2' is executing",
    });
  });

  it('02#115 and 02#116 only a new run image on the same stack is a rebase', async () => {
    const made = async (offer: object) => {
      const world = imageWorld();
      await world.firstBuild();
      world.offer({ latestImage: `registry.example/builder@${digest('9')}`, ...offer });
      await world.pass();
      return world.build(2);
    };
    const stack = { id: 'stack', runImage: `registry.example/run@${digest('3')}` };
    const builder = { stackId: 'stack' };
    const alone = await made({ stack });
    const both = await made({ stack, builderMetadata: [] });
    expect(alone && isRebase(alone, builder.stackId)).toBe(true);
    expect(both && isRebase(both, builder.stackId)).toBe(false);
    expect(alone && isRebase(alone, 'another')).toBe(false);
  });
});
