/** Kubernetes ends pods that did nothing wrong: the Build gets another one, and never two at once. */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { describe, expect, it } from 'vitest';
import { disruptionRows } from '../../../lib/builds/disruption.ts';
import { OciError } from '../../../lib/oci/errors.ts';
import { disruptedAt, disruptionTarget, endedPods } from '../../support/ended-pods.ts';
import {
  appFacts,
  type BuildWorld,
  buildWorld,
  ended,
  podPath,
  pods,
  status,
  succeededPod,
  type WorldOptions,
} from './build-world.ts';

const at = (seconds: number) => new Date(Date.parse('2026-11-21T09:00:00Z') + seconds * 1000);
const made = (world: BuildWorld): number =>
  world.cluster.writes().filter(({ method, path }) => method === 'POST' && path.endsWith('/pods')).length;
const begun = async (options: WorldOptions = {}): Promise<BuildWorld> => {
  const world = buildWorld(options);
  await world.pass({ now: at(0) });
  return world;
};
/** The pod as it is while it is being deleted. */
const deleting = (
  world: BuildWorld,
  podStatus: NonNullable<Pod['status']>,
  deletionTimestamp = '2026-11-21T09:00:30Z',
): void => {
  const { metadata, ...pod } = world.cluster.at(podPath);
  world.cluster.put(pods, {
    ...pod,
    metadata: { ...metadata, deletionTimestamp, deletionGracePeriodSeconds: 30 },
    status: podStatus,
  } as object);
};
const evicted = disruptionTarget('EvictionByEvictionAPI', 'Eviction API: evicting');

describe('a pod that Kubernetes ended', () => {
  it.each(endedPods)(
    'because of $how ($source) is made again, and the condition says why and which it is',
    async ({ reason, status: podStatus }) => {
      const world = await begun();
      world.podSays(podStatus);
      expect((await world.pass({ now: at(1) })).outcome).toMatchObject({ afterSeconds: 10 });
      expect(world.condition()).toMatchObject({ status: 'Unknown', reason });
      expect(world.condition()['message']).toMatch(/; pod 2, [01] of 3 retries used, is made in 10 s$/u);
      expect(world.cluster.has(podPath)).toBe(false);
      expect((await world.pass({ now: at(5) })).outcome).toMatchObject({ afterSeconds: 6 });
      expect(made(world)).toBe(1);
      await world.pass({ now: at(11) });
      expect(made(world)).toBe(2);
      expect(world.condition()).toMatchObject({ status: 'Unknown', reason: 'TriedAgain' });
      world.podSays(succeededPod());
      await world.pass({ now: at(20) });
      expect(world.condition()).toMatchObject({ status: 'True', reason: 'Completed' });
      expect(world.condition()['message']).toContain(`tried again: ${reason}: `);
    },
  );

  it('is one of each kind that the table has', () => {
    const shown = endedPods.map(({ status: podStatus }) =>
      disruptionRows.findIndex(({ words }) => words({ status: podStatus }) !== undefined),
    );
    expect(new Set(shown)).toEqual(new Set(disruptionRows.keys()));
  });

  it('is made again with twice the pause each time, three times, and then the Build ends with the reason', async () => {
    const world = await begun();
    const podStatus = endedPods[0]?.status ?? {};
    let now = 0;
    for (const seconds of [10, 20, 40]) {
      world.podSays(podStatus);
      expect((await world.pass({ now: at((now += 1)) })).outcome).toMatchObject({ afterSeconds: seconds });
      await world.pass({ now: at((now += seconds)) });
    }
    expect(made(world)).toBe(4);
    world.podSays(podStatus);
    expect(await world.pass({ now: at(now + 1) })).toMatchObject({ outcome: { done: true } });
    expect(world.condition()).toMatchObject({ status: 'False', reason: 'Evicted' });
    expect(world.condition()['message']).toMatch(/; pod 4, 3 of 3 retries used$/u);
  });

  it('for one of higher priority is made again as often as that happens', async () => {
    const world = await begun();
    let now = 0;
    for (let time = 0; time < 8; time += 1) {
      world.podSays(endedPods[1]?.status ?? {});
      const { outcome } = await world.pass({ now: at((now += 1)) });
      await world.pass({ now: at((now += (outcome as { readonly afterSeconds: number }).afterSeconds)) });
    }
    expect(made(world)).toBe(9);
    expect(world.condition()['message']).toContain('pod 9, 0 of 3 retries used');
  });

  it.each([
    ['the setting', { retries: { retries: 1, firstSeconds: 30 } }],
    [
      'annotations, before the setting',
      {
        retries: { retries: 9, firstSeconds: 9 },
        metadata: { annotations: { 'build.kpack.io/podRetries': '1', 'build.kpack.io/podRetrySeconds': '30' } },
      },
    ],
  ])('is made again as %s says', async (_, options: WorldOptions) => {
    const world = await begun(options);
    world.podSays(endedPods[0]?.status ?? {});
    expect((await world.pass({ now: at(1) })).outcome).toMatchObject({ afterSeconds: 30 });
    await world.pass({ now: at(31) });
    world.podSays(endedPods[0]?.status ?? {});
    await world.pass({ now: at(32) });
    expect(world.condition()).toMatchObject({ status: 'False', reason: 'Evicted' });
  });

  it.each(['-1', '21', '1.5', 'many', '9'.repeat(5)])(
    'is refused before it is made when an annotation is %j',
    async (value) => {
      const world = await begun({ metadata: { annotations: { 'build.kpack.io/podRetries': value } } });
      expect(world.condition()).toMatchObject({ status: 'False' });
      expect(world.condition()['message']).toContain('build.kpack.io/podRetries is "');
    },
  );

  it('after a step had failed by itself failed with that step', async () => {
    const world = await begun();
    const failed = status('build', { terminated: { exitCode: 51, finishedAt: '2026-11-21T08:31:57Z' } });
    world.podSays({ phase: 'Failed', conditions: [evicted], initContainerStatuses: [ended('prepare'), failed] });
    await world.pass({ now: at(1) });
    expect(world.condition()).toMatchObject({ status: 'False', reason: 'Failed' });
  });

  it('after all its steps had ended well has built the image', async () => {
    const world = await begun();
    world.podSays({ ...succeededPod(), phase: 'Failed', conditions: [evicted] });
    await world.pass({ now: at(1) });
    expect(world.condition()).toMatchObject({ status: 'True' });
  });

  it('after it had pushed the image is not made again', async () => {
    const tags = ['someimage/name', 'index.docker.io/someimage/name:b12.20261121.080000'];
    const world = await begun({ spec: { tags } });
    world.images.known.set(tags[1] ?? '', appFacts);
    world.podSays(endedPods[0]?.status ?? {});
    await world.pass({ now: at(1) });
    expect(world.condition()).toMatchObject({ status: 'True', reason: 'Completed' });
    expect(made(world)).toBe(1);
  });

  it('because it outgrew a limit of its own is not made again', async () => {
    const world = await begun();
    const message = 'Usage of EmptyDir volume "layers-dir" exceeds the limit "1Gi". ';
    world.podSays({ phase: 'Failed', reason: 'Evicted', message, initContainerStatuses: [ended('build', 137)] });
    await world.pass({ now: at(1) });
    expect(world.condition()).toMatchObject({ status: 'False', reason: 'Evicted' });
  });

  it('while somebody cancels the Build leaves it cancelled', async () => {
    const world = await begun();
    world.podSays(endedPods[0]?.status ?? {});
    const build = world.build();
    world.cluster.put('/apis/kpack.io/v1alpha2/namespaces/some-namespace/builds', {
      ...build,
      metadata: { ...build.metadata, annotations: { 'build.kpack.io/cancel': 'x' } },
    });
    await world.pass({ now: at(1) });
    expect(world.condition()).toMatchObject({ status: 'False', reason: 'Cancelled' });
  });

  it('is not made again while the registry does not say whether it pushed', async () => {
    const tags = ['someimage/name', 'index.docker.io/someimage/name:b12.20261121.080000'];
    const world = await begun({ spec: { tags } });
    world.images.known.set(tags[1] ?? '', () => {
      throw new OciError('unavailable', 'busy');
    });
    world.podSays(endedPods[0]?.status ?? {});
    await world.pass({ now: at(1) });
    expect(world.condition()).toMatchObject({ status: 'Unknown', reason: 'Retrying' });
    expect(world.cluster.has(podPath)).toBe(true);
  });
});

describe('a pod that is being evicted', () => {
  it('is told so, and is made again once it is gone', async () => {
    const world = await begun();
    deleting(world, { phase: 'Running', conditions: [evicted] });
    await world.pass({ now: at(1) });
    expect(world.condition()).toMatchObject({
      status: 'Unknown',
      reason: 'Evicted',
      message: 'Eviction API: evicting',
    });
    world.cluster.remove(podPath);
    await world.pass({ now: at(40) });
    expect(world.condition()).toMatchObject({ status: 'Unknown', reason: 'Evicted' });
    await world.pass({ now: at(51) });
    expect(made(world)).toBe(2);
  });

  it('has no other beside it while its node does not say that it is gone, and after an hour the Build ends', async () => {
    const world = await begun();
    deleting(world, endedPods[0]?.status ?? {});
    await world.pass({ now: at(1) });
    await world.pass({ now: at(600) });
    expect(made(world)).toBe(1);
    expect(world.condition()).toMatchObject({ status: 'Unknown', reason: 'Evicted' });
    await world.pass({ now: at(3700) });
    expect(world.condition()).toMatchObject({ status: 'False', reason: 'NodeLost' });
    expect(made(world)).toBe(1);
  });

  it('and then is left alone after all counts as deleted when somebody deletes it', async () => {
    const world = await begun();
    world.podSays({ phase: 'Running', conditions: [evicted] });
    await world.pass({ now: at(1) });
    world.podSays({ phase: 'Running', conditions: [{ ...evicted, status: 'False' }] });
    await world.pass({ now: at(121) });
    world.cluster.remove(podPath);
    await world.pass({ now: at(122) });
    expect(world.condition()).toMatchObject({ status: 'False', reason: 'PodDeleted' });
  });

  it('is known to be so after a death before the record was written', async () => {
    const world = await begun();
    world.podSays(endedPods[0]?.status ?? {});
    await world.pass({ now: at(1) });
    world.loseRecord();
    await world.pass({ now: at(5) });
    expect(made(world)).toBe(1);
    await world.pass({ now: at(12) });
    expect(made(world)).toBe(2);
    expect(world.condition()).toMatchObject({ status: 'Unknown', reason: 'TriedAgain' });
  });

  it('whose next pod was made before a death is not made again when somebody deletes that', async () => {
    const world = await begun();
    world.podSays(endedPods[0]?.status ?? {});
    const { memory } = await world.pass({ now: at(1) });
    await world.pass({ now: at(12) });
    expect(made(world)).toBe(2);
    // The pass that made it died before its record was written.
    await world.pass({ now: at(13), memory });
    world.cluster.remove(podPath);
    await world.pass({ now: at(14) });
    expect(world.condition()).toMatchObject({ status: 'False', reason: 'PodDeleted' });
    expect(made(world)).toBe(2);
  });

  it.each(['request', 'answer'] as const)('ends the same wherever one %s is lost, with two pods', async (what) => {
    const story = async (lose?: number): Promise<BuildWorld> => {
      const world = await begun();
      world.podSays(endedPods[0]?.status ?? {});
      if (lose !== undefined) world.cluster.lose(lose, what);
      for (const seconds of [1, 2, 3, 14, 15, 16, 30]) await world.pass({ now: at(seconds) });
      return world;
    };
    const requests = (await story()).cluster.requests.length;
    for (let number = 0; number < requests; number += 1) {
      const world = await story(number);
      expect(world.cluster.has(podPath), `request ${number}`).toBe(true);
      const { metadata } = world.cluster.at(podPath);
      expect(metadata['annotations'], `request ${number}`).toMatchObject({
        'build.kpack.io/tried-again': expect.stringContaining('pod 2, 1 of 3') as string,
      });
    }
  });
});

describe('a pod that somebody deleted', () => {
  it.each([
    ['the taint manager', 'DeletionByTaintManager', 'Running'],
    ['the eviction API', 'EvictionByEvictionAPI', 'Pending'],
    ['the pod garbage collector', 'DeletionByPodGC', 'Failed'],
  ])('is not evicted by %s, which comes to it while its node does not answer', async (_, reason, phase) => {
    const world = await begun();
    const later = { ...disruptionTarget(reason, 'deleting'), lastTransitionTime: '2026-11-21T08:35:00Z' };
    deleting(world, { phase, conditions: [later] }, '2026-11-21T08:30:30Z');
    await world.pass({ now: at(1) });
    world.cluster.remove(podPath);
    await world.pass({ now: at(2) });
    expect(world.condition()).toMatchObject({ status: 'False' });
    expect(made(world)).toBe(1);
  });

  it('is told from one that was evicted by a control plane whose clocks differ a little', async () => {
    const world = await begun();
    const later = { ...evicted, lastTransitionTime: '2026-11-21T08:30:05Z' };
    deleting(world, { phase: 'Running', conditions: [later] }, '2026-11-21T08:30:30Z');
    await world.pass({ now: at(1) });
    expect(world.condition()).toMatchObject({ status: 'Unknown', reason: 'Evicted' });
  });

  it.each([
    ['while it ran', 'Running', []],
    [
      'and whose containers the kubelet could not find any more',
      'Failed',
      [
        status('build', {
          terminated: {
            exitCode: 137,
            reason: 'ContainerStatusUnknown',
            finishedAt: disruptedAt,
            message: 'The container could not be located when the pod was deleted.  The container used to be Running',
          },
        }),
      ],
    ],
  ])('%s stays deleted', async (_, phase, initContainerStatuses) => {
    const world = await begun();
    deleting(world, { phase, initContainerStatuses }, '2026-11-21T08:32:00Z');
    await world.pass({ now: at(0) });
    world.cluster.remove(podPath);
    await world.pass({ now: at(60) });
    expect(world.condition()).toMatchObject({ status: 'False', reason: 'PodDeleted' });
    expect(made(world)).toBe(1);
  });
});
