import { describe, expect, it } from 'vitest';
import { OciError } from '../../../lib/oci/errors.ts';
import {
  appFacts,
  buildWorld,
  completionMessage,
  digestOf,
  ended,
  lifecycleSteps,
  podPath,
  runs,
  succeededPod,
  waits,
} from './build-world.ts';

const unknown = { type: 'Succeeded', status: 'Unknown' };
const url = new URL('https://registry.example/v2/a/manifests/b');

describe('a running pod', () => {
  it('02#133 03#189 shows its steps', async () => {
    const world = buildWorld();
    await world.pass();
    world.podSays({
      initContainerStatuses: [ended('prepare'), runs('analyze'), waits('detect', 'PodInitializing'), ended('foreign')],
    });
    await world.pass();
    expect(world.build().status).toMatchObject({
      stepStates: [
        { terminated: { message: 'Container prepare terminated successfully' } },
        { running: {} },
        { waiting: { message: 'Container detect waiting' } },
      ],
      stepsCompleted: ['prepare'],
    });
    expect(world.condition()).toEqual(unknown);
  });

  it.each([
    [
      '02#134 03#174',
      [ended('prepare'), waits('analyze', 'ImagePullBackOff', "Can't pull")],
      'ImagePullBackOff',
      "Can't pull",
    ],
    ['02#135', [waits('prepare', 'PodInitializing')], 'PodInitializing', 'Container prepare waiting'],
  ])('%s says what an init container waits for', async (_, initContainerStatuses, reason, message) => {
    const world = buildWorld();
    await world.pass();
    world.podSays({ phase: 'Pending', initContainerStatuses });
    await world.pass();
    expect(world.condition()).toEqual({ ...unknown, reason, message });
  });

  it('02#136 is Unknown without a reason when there is none', async () => {
    const world = buildWorld();
    await world.pass();
    world.podSays({ phase: 'Pending', containerStatuses: [waits('completion', 'PodInitializing')] });
    await world.pass();
    expect(world.condition()).toEqual(unknown);
  });

  it.each([
    ['completion', [ended('prepare'), ended('export')], [waits('completion', 'ErrImagePull', 'not found')]],
    [
      'with injected sidecars any step',
      [ended('pre-start')],
      [runs('prepare'), waits('build', 'ErrImagePull', 'not found')],
    ],
  ])('says what %s cannot start for, unlike kpack', async (_, initContainerStatuses, containerStatuses) => {
    const world = buildWorld();
    await world.pass();
    world.podSays({ phase: 'Pending', initContainerStatuses, containerStatuses });
    await world.pass();
    expect(world.condition()).toEqual({ ...unknown, reason: 'ErrImagePull', message: 'not found' });
  });

  it('says that no node takes it, unlike kpack', async () => {
    const world = buildWorld();
    await world.pass();
    const message = '0/1 nodes are available';
    world.podSays({
      phase: 'Pending',
      conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }],
    });
    await world.pass();
    expect(world.condition()).toEqual({ ...unknown, reason: 'Unschedulable', message });
  });

  it('keeps the time of a condition that did not change', async () => {
    const world = buildWorld();
    await world.pass({ now: new Date('2026-11-21T09:00:00Z') });
    world.podSays({ initContainerStatuses: [ended('prepare')] });
    await world.pass({ now: new Date('2026-11-21T10:00:00Z') });
    expect(world.build().status).toMatchObject({ conditions: [{ lastTransitionTime: '2026-11-21T09:00:00Z' }] });
  });

  it('02#149 that is deleted ends the Build with a reason, unlike kpack’s', async () => {
    const world = buildWorld();
    await world.pass();
    world.cluster.remove(podPath);
    await world.pass();
    expect(world.condition()).toMatchObject({ status: 'False', reason: 'PodDeleted' });
    expect(world.cluster.has(podPath)).toBe(false);
  });

  it('that is deleted after it pushed the image leaves a Build that succeeded', async () => {
    const tags = ['someimage/name', 'index.docker.io/someimage/name:b12.20261121.080000'];
    const world = buildWorld({ spec: { tags } });
    await world.pass();
    world.cluster.remove(podPath);
    world.images.known.set(tags[1] ?? '', appFacts);
    await world.pass();
    expect(world.condition()).toMatchObject({ status: 'True', reason: 'Completed' });
    expect(world.build().status).toMatchObject({ latestImage: `index.docker.io/someimage/name@${digestOf('a')}` });
  });

  it('that is deleted before it pushed anything failed', async () => {
    const tags = ['someimage/name', 'index.docker.io/someimage/name:b12.20261121.080000'];
    const world = buildWorld({ spec: { tags } });
    await world.pass();
    world.cluster.remove(podPath);
    world.images.known.set(tags[1] ?? '', () => {
      throw new OciError('not-found', 'manifest unknown', { method: 'GET', url });
    });
    await world.pass();
    expect(world.condition()).toMatchObject({ status: 'False', reason: 'PodDeleted' });
  });
});

describe('a pod that ended well', () => {
  it('02#137 says what was built', async () => {
    const world = buildWorld();
    await world.pass();
    world.podSays(succeededPod(completionMessage({ latestCacheImage: 'cache@sha256:1' })));
    expect(await world.pass()).toMatchObject({ outcome: { done: true } });
    expect(world.condition()).toEqual({ type: 'Succeeded', status: 'True', reason: 'Completed' });
    expect(world.build().status).toMatchObject({
      buildMetadata: [{ id: 'test/bp', version: '1.0.0', homepage: 'https://bp.example' }],
      latestImage: `index.docker.io/someimage/name@${digestOf('a')}`,
      latestCacheImage: 'cache@sha256:1',
      stack: { id: 'S', runImage: `builderregistry.io/run@${digestOf('d')}` },
      lifecycleVersion: '0.21.0',
      stepsCompleted: [...lifecycleSteps, 'completion'],
    });
  });

  it.each([
    ['02#138', ''],
    ['a message that the kubelet cut off', completionMessage().slice(0, 100)],
  ])('%s: with a lost message the image itself says it', async (_, message) => {
    const world = buildWorld();
    await world.pass();
    world.podSays(succeededPod(message));
    world.images.known.set('someimage/name', appFacts);
    await world.pass();
    expect(world.condition()).toMatchObject({ status: 'True', reason: 'Completed' });
    expect(world.build().status).toMatchObject({
      buildMetadata: [{ id: 'test/bp', version: '1.0.0' }],
      latestImage: `index.docker.io/someimage/name@${digestOf('a')}`,
      stack: { id: 'S', runImage: `builderregistry.io/run@${digestOf('d')}` },
      lifecycleVersion: '0.21.0',
    });
  });

  it.each([
    ['to list buildpacks', { buildpackMetadata: undefined }],
    ['for their homepages', { buildpackMetadata: [{ id: 'test/bp', version: '0.9.9' }], partial: true }],
  ])('with a message too long %s: the labels of the image have them', async (_, said) => {
    const latestImage = `index.docker.io/someimage/name@${digestOf('a')}`;
    const world = buildWorld();
    await world.pass();
    world.podSays(succeededPod(completionMessage({ ...said, latestCacheImage: 'c@sha256:1' })));
    world.images.known.set(latestImage, appFacts);
    await world.pass();
    expect(world.build().status).toMatchObject({
      buildMetadata: [{ id: 'test/bp', version: '1.0.0' }],
      latestImage,
      latestCacheImage: 'c@sha256:1',
    });
  });

  it('02#139 ends all the same when nobody says what was built', async () => {
    const world = buildWorld();
    await world.pass();
    world.podSays({ phase: 'Succeeded' });
    world.images.known.set('someimage/name', () => {
      throw new OciError('unauthorized', 'no', { method: 'GET', url });
    });
    expect(await world.pass()).toMatchObject({ outcome: { code: 'unauthorized' } });
    expect(world.condition()).toMatchObject({ status: 'Unknown', reason: 'Retrying' });
    await world.pass({ attempts: 6 });
    expect(world.condition()).toMatchObject({ status: 'False', reason: 'ResultUnknown' });
  });

  it('02#140 03#190 is never looked at again', async () => {
    const world = buildWorld();
    await world.pass();
    world.podSays(succeededPod());
    await world.pass();
    world.cluster.remove(podPath);
    const before = world.cluster.requests.length;
    await world.pass();
    expect(world.cluster.requests.slice(before).map(({ method }) => method)).toEqual(['GET']);
  });
});
