import { describe, expect, it } from 'vitest';
import { appFacts, buildWorld, digestOf, ended, podPath, pods, runs, succeededPod } from './build-world.ts';

const namespaceBuilds = '/apis/kpack.io/v1alpha2/namespaces/some-namespace/builds';
const cancelled = {
  type: 'Succeeded',
  status: 'False',
  reason: 'Cancelled',
  message: 'cancelled by annotation build.kpack.io/cancel',
};

type World = ReturnType<typeof buildWorld>;

const annotate = (world: World, value: string): void => {
  const { cluster } = world;
  const { metadata, ...rest } = world.build();
  cluster.remove(`${namespaceBuilds}/build-name`);
  cluster.put(namespaceBuilds, { ...rest, metadata: { ...metadata, annotations: { 'build.kpack.io/cancel': value } } });
};

/** As the API server answers a deletion while containers are being stopped. */
const beingDeleted = ({ cluster }: World, deletionTimestamp: string, phase = 'Running'): void => {
  const { metadata, status, ...rest } = cluster.at(podPath);
  cluster.remove(podPath);
  const said = { ...(status as object), phase };
  cluster.put(pods, { ...rest, status: said, metadata: { ...metadata, deletionTimestamp } } as object);
};

const running = async (): Promise<World> => {
  const world = buildWorld();
  await world.pass();
  world.podSays({ phase: 'Running', initContainerStatuses: [ended('prepare'), runs('analyze')] });
  await world.pass();
  return world;
};

describe('a Build that is cancelled', () => {
  it('has its pod deleted, and has ended once the pod is gone', async () => {
    const world = await running();
    annotate(world, '2026-11-21T09:00:00Z');
    expect(await world.pass()).toMatchObject({ outcome: { done: false, afterSeconds: 45 } });
    expect(world.cluster.writes().filter(({ method }) => method === 'DELETE')).toHaveLength(1);
    expect(world.condition()).toEqual({
      type: 'Succeeded',
      status: 'Unknown',
      reason: 'Cancelling',
      message: 'pod build-name-build-pod is being stopped',
    });
    expect(await world.pass()).toMatchObject({ outcome: { done: true } });
    expect(world.condition()).toEqual(cancelled);
    expect(world.build().status).toMatchObject({ podName: 'build-name-build-pod', stepsCompleted: ['prepare'] });
  });

  it('waits for a pod that is being stopped without asking again, but not for ever for a node that is silent', async () => {
    const world = await running();
    annotate(world, '');
    beingDeleted(world, '2026-11-21T09:00:30Z', 'Failed');
    await world.pass();
    expect(world.condition()).toMatchObject({ status: 'Unknown', reason: 'Cancelling' });
    expect(world.cluster.writes().some(({ method }) => method === 'DELETE')).toBe(false);
    await world.pass({ now: new Date('2026-11-21T09:01:31Z') });
    expect(world.condition()).toEqual(cancelled);
  });

  it('without a pod ends at once and makes none', async () => {
    const world = buildWorld({ metadata: { annotations: { 'build.kpack.io/cancel': 'yes' } } });
    await world.pass();
    expect(world.condition()).toEqual(cancelled);
    expect(world.cluster.has(podPath)).toBe(false);
  });

  it('too late has succeeded, or failed, all the same', async () => {
    const late = await running();
    annotate(late, 'true');
    late.podSays(succeededPod());
    await late.pass();
    expect(late.condition()).toMatchObject({ status: 'True', reason: 'Completed' });
    const failed = await running();
    annotate(failed, 'true');
    failed.podSays({ phase: 'Failed', initContainerStatuses: [ended('prepare', 1, 'no')] });
    await failed.pass();
    expect(failed.condition()).toMatchObject({ status: 'False', reason: 'Failed' });
  });

  it('after it pushed the image has succeeded', async () => {
    const world = await running();
    world.podSays({
      phase: 'Running',
      initContainerStatuses: [ended('export')],
      containerStatuses: [runs('completion')],
    });
    await world.pass();
    annotate(world, 'true');
    world.images.known.set('someimage/name', appFacts);
    await world.pass();
    await world.pass();
    expect(world.condition()).toMatchObject({ status: 'True', reason: 'Completed' });
    expect(world.build().status).toMatchObject({ latestImage: `index.docker.io/someimage/name@${digestOf('a')}` });
  });

  it('goes on when the annotation says false', async () => {
    const world = await running();
    annotate(world, 'false');
    await world.pass();
    expect(world.cluster.has(podPath)).toBe(true);
    expect(world.condition()).toMatchObject({ status: 'Unknown' });
  });

  it('leaves a pod alone that is not its own', async () => {
    const world = buildWorld({ metadata: { annotations: { 'build.kpack.io/cancel': 'yes' } } });
    world.cluster.put(pods, { kind: 'Pod', metadata: { name: 'build-name-build-pod', namespace: 'some-namespace' } });
    await world.pass();
    expect(world.condition()).toEqual(cancelled);
    expect(world.cluster.has(podPath)).toBe(true);
  });
});

describe('a Build with a notary signature', () => {
  it('03#166 is refused before there is a pod or a push, and says what to do', async () => {
    const notary = { v1: { url: 'https://notary.example', secretRef: { name: 's' } } };
    const world = buildWorld({ spec: { notary } });
    await world.pass();
    expect(world.condition()).toMatchObject({ status: 'False', reason: 'NotaryUnsupported' });
    expect(world.condition()['message']).toContain('sign with cosign');
    expect(world.cluster.has(podPath)).toBe(false);
    expect(world.images.reads).toEqual([]);
  });

  it('and without one inside is built', async () => {
    const world = buildWorld({ spec: { notary: {} } });
    await world.pass();
    expect(world.cluster.has(podPath)).toBe(true);
  });
});
