import { describe, expect, it } from 'vitest';
import type { ArchivePorts } from '../../../../lib/builds/archive/archive.ts';
import { archivePlace } from '../../../../lib/builds/archive/place.ts';
import { disruptionTarget } from '../../../support/ended-pods.ts';
import { type FakeS3, fakeIdentity, fakeRegion, fakeS3 } from '../../../support/fake-s3.ts';
import {
  type BuildWorld,
  buildWorld,
  ended,
  lifecycleSteps,
  podPath,
  runs,
  succeededPod,
  type WorldOptions,
  waits,
} from '../build-world.ts';

const buildPath = '/apis/kpack.io/v1alpha2/namespaces/some-namespace/builds/build-name';

const portsOf = (place: string): ArchivePorts => ({
  place: archivePlace(place) ?? { bucket: 'none', prefix: '' },
  region: () => Promise.resolve(fakeRegion),
  credentials: () => Promise.resolve(fakeIdentity),
  clock: () => new Date('2026-11-21T09:00:00Z'),
});

/** A Build whose pod runs, with an archive. */
const running = async (store: FakeS3, options: WorldOptions = {}): Promise<BuildWorld> => {
  const world = buildWorld({ archive: portsOf(`${store.origin}/logs/builds`), ...options });
  await world.pass();
  return world;
};

/** Where B's log goes. */
const keyOf = (world: BuildWorld): string =>
  `/logs/builds/test/some-namespace/build-name/${String(world.build().metadata['uid'])}.log.gz`;

const textIn = (store: FakeS3, world: BuildWorld): string => store.textAt(`${store.origin}${keyOf(world)}`) ?? '';

/** Conditions without their times, by type. */
const conditionsOf = (world: BuildWorld): Record<string, unknown> => {
  const { conditions = [] } = world.build().status as {
    readonly conditions?: readonly { readonly type: string; readonly lastTransitionTime?: string }[];
  };
  return Object.fromEntries(
    conditions.map((condition) => {
      const { type, lastTransitionTime: _, ...rest } = condition;
      return [type, rest];
    }),
  );
};

const cancel = (world: BuildWorld): void => {
  const { metadata, ...rest } = world.build();
  world.cluster.remove(buildPath);
  const annotations = { 'build.kpack.io/cancel': '' };
  world.cluster.put(buildPath.slice(0, buildPath.lastIndexOf('/')), {
    ...rest,
    metadata: { ...metadata, annotations },
  });
};

const minutesLater = (minutes: number) => ({ now: new Date(Date.parse('2026-11-21T09:00:00Z') + minutes * 60_000) });

describe('the logs of a Build that ended', () => {
  it('05#46 are readable after its pod is gone, when it succeeded, in the form and order of kp', async () => {
    await using store = await fakeS3();
    const world = await running(store);
    for (const step of lifecycleSteps) world.cluster.setLog(podPath, step, `${step} says\nmore\n`);
    world.cluster.setLog(podPath, 'completion', 'Build successful');
    world.podSays(succeededPod());
    expect(await world.pass()).toMatchObject({ outcome: { done: true } });
    expect(textIn(store, world)).toBe(
      `${lifecycleSteps.map((step) => `===> ${step.toUpperCase()}\n${step} says\nmore\n`).join('')}===> COMPLETION\nBuild successful\n`,
    );
    expect(store.objects.get(keyOf(world))?.headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'content-encoding': 'gzip',
    });
    expect(conditionsOf(world)).toEqual({
      Succeeded: { status: 'True', reason: 'Completed' },
      LogsArchived: { status: 'True', reason: 'Archived', message: `${store.origin}${keyOf(world)}` },
    });
  });

  it('are kept when a step failed, which completion never sees', async () => {
    await using store = await fakeS3();
    const world = await running(store);
    world.cluster.setLog(podPath, 'prepare', 'cloned');
    world.cluster.setLog(podPath, 'analyze', 'no such registry');
    world.podSays({
      phase: 'Failed',
      initContainerStatuses: [ended('prepare'), ended('analyze', 32), waits('detect', 'PodInitializing')],
      containerStatuses: [waits('completion', 'PodInitializing')],
    });
    await world.pass();
    expect(textIn(store, world)).toBe('===> PREPARE\ncloned\n===> ANALYZE\nno such registry\n');
    expect(conditionsOf(world)).toMatchObject({
      Succeeded: { status: 'False', reason: 'Failed' },
      LogsArchived: { status: 'True', reason: 'Archived' },
    });
  });

  it('cost one write of the Build, the one that tells its end, and nothing afterwards', async () => {
    await using store = await fakeS3();
    const world = await running(store);
    for (const step of [...lifecycleSteps, 'completion']) world.cluster.setLog(podPath, step, 'x');
    world.podSays(succeededPod());
    const before = world.cluster.writes().length;
    await world.pass();
    await world.pass();
    expect([world.cluster.writes().length - before, store.puts()]).toEqual([1, 1]);
  });

  it('are read before we delete the pod of a cancelled Build, and what is known of them stays', async () => {
    await using store = await fakeS3();
    const world = await running(store);
    world.podSays({ phase: 'Running', initContainerStatuses: [ended('prepare'), runs('analyze')] });
    await world.pass();
    world.cluster.setLog(podPath, 'prepare', 'cloned');
    world.cluster.setLog(podPath, 'analyze', 'half of');
    cancel(world);
    await world.pass();
    expect(world.cluster.has(podPath)).toBe(false);
    await world.pass();
    expect(textIn(store, world)).toBe('===> PREPARE\ncloned\n===> ANALYZE\nhalf of\n');
    expect(conditionsOf(world)).toMatchObject({
      Succeeded: { reason: 'Cancelled' },
      LogsArchived: { status: 'True', reason: 'Archived' },
    });
  });

  it('are said to be lost when somebody deleted the pod, and are not spoken of when there never was one', async () => {
    await using store = await fakeS3();
    const world = await running(store);
    world.podSays({ phase: 'Running', initContainerStatuses: [runs('prepare')] });
    await world.pass();
    world.cluster.remove(podPath);
    await world.pass();
    expect(conditionsOf(world)).toMatchObject({
      Succeeded: { reason: 'PodDeleted' },
      LogsArchived: { status: 'False', reason: 'ArchiveFailed', message: 'the pod is gone, and its logs with it' },
    });
    const early = buildWorld({ archive: portsOf(`${store.origin}/logs/builds`) });
    cancel(early);
    await early.pass();
    expect(Object.keys(conditionsOf(early))).toEqual(['Succeeded']);
  });

  it('are kept of each pod when it was tried again, each under a key of its own', async () => {
    await using store = await fakeS3();
    const world = await running(store);
    world.cluster.setLog(podPath, 'build', 'the first try\n');
    const evicted = disruptionTarget('EvictionByEvictionAPI', 'Eviction API: evicting');
    world.podSays({ phase: 'Failed', conditions: [evicted], initContainerStatuses: [ended('build', 137)] });
    await world.pass(minutesLater(0));
    await world.pass(minutesLater(1));
    world.cluster.setLog(podPath, 'build', 'the second try\n');
    world.podSays({ phase: 'Failed', initContainerStatuses: [ended('build', 51)] });
    await world.pass(minutesLater(2));
    expect(textIn(store, world)).toBe('===> BUILD\nthe second try\n');
    const first = keyOf(world).replace('.log.gz', '.pod-1.log.gz');
    expect(store.textAt(`${store.origin}${first}`)).toBe('===> BUILD\nthe first try\n');
    expect([...store.objects.keys()].toSorted()).toEqual([keyOf(world), first].toSorted());
  });

  it('of a pod before the last are given up when they cannot be kept at once: the next pod waits for nobody', async () => {
    await using store = await fakeS3();
    const world = await running(store);
    world.cluster.failNext('GET', '/log', 503, { message: 'the node does not answer' });
    const evicted = disruptionTarget('EvictionByEvictionAPI', 'Eviction API: evicting');
    world.podSays({ phase: 'Failed', conditions: [evicted], initContainerStatuses: [ended('build', 137)] });
    await world.pass(minutesLater(0));
    await world.pass(minutesLater(1));
    expect(conditionsOf(world)['Succeeded']).toMatchObject({ status: 'Unknown', reason: 'TriedAgain' });
    expect(store.objects.size).toBe(0);
  });

  it('are kept but for steps whose log the node has thrown away', async () => {
    await using store = await fakeS3();
    const world = await running(store);
    world.cluster.setLog(podPath, 'completion', 'done');
    world.podSays({ ...succeededPod(), initContainerStatuses: [ended('prepare')] });
    await world.pass();
    expect(conditionsOf(world)['LogsArchived']).toEqual({
      status: 'True',
      reason: 'ArchivedInPart',
      message: `${store.origin}${keyOf(world)}; the logs of prepare could not be read`,
    });
    expect(textIn(store, world)).toMatch(
      /^===> PREPARE\n\[this log could not be read: .*\]\n===> COMPLETION\ndone\n$/u,
    );
  });

  it('of which nothing can be read any more leave no object', async () => {
    await using store = await fakeS3();
    const world = await running(store);
    world.podSays({ phase: 'Failed', initContainerStatuses: [ended('prepare', 1)] });
    await world.pass();
    expect(conditionsOf(world)['LogsArchived']).toMatchObject({ status: 'False', reason: 'ArchiveFailed' });
    expect(store.objects.size).toBe(0);
  });

  it('are not asked for, and not spoken of, where nothing is archived', async () => {
    const world = buildWorld();
    await world.pass();
    world.podSays(succeededPod());
    await world.pass();
    expect(Object.keys(conditionsOf(world))).toEqual(['Succeeded']);
    expect(world.cluster.requests.filter(({ path }) => path.endsWith('/log'))).toEqual([]);
  });
});

describe('a store that fails', () => {
  const failing = async (store: FakeS3, status: number, code: string): Promise<BuildWorld> => {
    const world = await running(store);
    world.cluster.setLog(podPath, 'prepare', 'log');
    world.podSays({ phase: 'Failed', initContainerStatuses: [ended('prepare', 1, 'no')] });
    store.failNext(status, code);
    await world.pass();
    return world;
  };

  it('holds up no Build: it ends, and the logs are tried again soon', async () => {
    await using store = await fakeS3();
    const world = await failing(store, 503, 'SlowDown');
    expect(conditionsOf(world)).toMatchObject({
      Succeeded: { status: 'False', reason: 'Failed' },
      LogsArchived: {
        status: 'Unknown',
        reason: 'ArchiveRetrying',
        message: `putting ${store.origin}${keyOf(world)}: HTTP 503 SlowDown`,
      },
    });
    const { conditions } = world.build().status as { readonly conditions: readonly unknown[] };
    expect(await world.pass(minutesLater(1))).toMatchObject({ outcome: { done: true } });
    expect(textIn(store, world)).toBe('===> PREPARE\nlog\n');
    const { conditions: after } = world.build().status as { readonly conditions: readonly unknown[] };
    expect(after[0]).toEqual(conditions[0]);
    expect(conditionsOf(world)).toMatchObject({ LogsArchived: { status: 'True', reason: 'Archived' } });
  });

  it('is asked less and less often, and no more after an hour', async () => {
    await using store = await fakeS3();
    const world = await failing(store, 403, 'AccessDenied');
    store.failNext(403, 'AccessDenied');
    expect(await world.pass(minutesLater(5))).toMatchObject({ outcome: { done: false, afterSeconds: 60 } });
    store.failNext(403, 'AccessDenied');
    expect(await world.pass(minutesLater(30))).toMatchObject({ outcome: { done: false, afterSeconds: 300 } });
    store.failNext(403, 'AccessDenied');
    expect(await world.pass(minutesLater(61))).toMatchObject({ outcome: { done: true } });
    expect(conditionsOf(world)['LogsArchived']).toEqual({
      status: 'False',
      reason: 'ArchiveFailed',
      message: `putting ${store.origin}${keyOf(world)}: HTTP 403 AccessDenied; may the function put objects there, and use the key of the bucket?`,
    });
    const puts = store.puts();
    await world.pass(minutesLater(90));
    expect(store.puts()).toBe(puts);
  });

  it('tells the readers of a Build nothing of roles and keys', async () => {
    await using store = await fakeS3();
    const world = await failing(store, 403, 'AccessDenied');
    expect(JSON.stringify(world.build())).not.toContain('arn:aws');
    expect(JSON.stringify(world.build())).not.toContain(fakeIdentity.accessKeyId);
  });

  it('has the log already when a pass died after putting it: the same key, and what is there stays', async () => {
    await using store = await fakeS3();
    const world = await running(store);
    world.cluster.setLog(podPath, 'prepare', 'whole');
    world.podSays({ phase: 'Failed', initContainerStatuses: [ended('prepare', 1, 'no')] });
    world.cluster.failNext('PUT', '/status', 500);
    await world.pass();
    world.cluster.setLog(podPath, 'prepare', 'less');
    await world.pass();
    expect(textIn(store, world)).toBe('===> PREPARE\nwhole\n');
    expect(conditionsOf(world)['LogsArchived']).toMatchObject({ status: 'True', reason: 'Archived' });
  });

  it('and a node that does not answer: the logs are tried again, then what can be read is kept', async () => {
    await using store = await fakeS3();
    const world = await running(store);
    world.cluster.setLog(podPath, 'prepare', 'log');
    world.podSays({ phase: 'Failed', initContainerStatuses: [ended('prepare'), ended('analyze', 1, 'no')] });
    const nodeIsSilent = (): void => world.cluster.failNext('GET', '/log', 502);
    nodeIsSilent();
    nodeIsSilent();
    await world.pass();
    expect(conditionsOf(world)['LogsArchived']).toMatchObject({ status: 'Unknown', reason: 'ArchiveRetrying' });
    world.cluster.setLog(podPath, 'analyze', 'last words');
    nodeIsSilent();
    await world.pass(minutesLater(61));
    expect(conditionsOf(world)['LogsArchived']).toMatchObject({ status: 'True', reason: 'ArchivedInPart' });
    expect(textIn(store, world)).toContain('===> ANALYZE\nlast words\n');
  });
});
