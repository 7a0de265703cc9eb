/** A cache that cannot be used stops no build: it goes on without, and the condition says why. */
import { describe, expect, it } from 'vitest';
import { type BuildWorld, ended, namespace, podPath, type WorldOptions } from './build-world.ts';
import { at, base, begun, warning } from './starting-pod.ts';

const claims = `/api/v1/namespaces/${namespace}/persistentvolumeclaims`;
const claim = { kind: 'PersistentVolumeClaim', metadata: { name: 'some-cache-name', namespace } };

describe('a cache', () => {
  const volume: WorldOptions = {
    spec: { ...base.spec, cache: { volume: { persistentVolumeClaimName: 'some-cache-name' } } },
    metadata: {
      ownerReferences: [
        {
          apiVersion: 'kpack.io/v1alpha2',
          kind: 'Image',
          name: 'image',
          uid: 'image-uid',
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
  };
  const owned = { ...claim, metadata: { ...claim.metadata, ownerReferences: volume.metadata?.ownerReferences } };
  const volumesOf = (world: BuildWorld) =>
    (world.cluster.at(podPath).spec as { readonly volumes: readonly { readonly name: string }[] }).volumes.map(
      ({ name }) => name,
    );
  /** The next pod is made without the cache, and the condition says why. */
  const goesOnWithout = async (world: BuildWorld, now: number, words: string) => {
    expect(world.condition()).toMatchObject({
      status: 'Unknown',
      reason: 'WithoutCache',
      message: expect.stringContaining(words) as string,
    });
    expect(world.cluster.has(podPath)).toBe(false);
    await world.pass({ now: at(now + 1) });
    expect(volumesOf(world)).not.toContain('cache-dir');
    expect(world.condition()).toMatchObject({ status: 'Unknown', reason: 'WithoutCache' });
    const { metadata } = world.cluster.at(podPath);
    expect((metadata['annotations'] as Record<string, string>)['build.kpack.io/without-cache']).toContain(words);
  };

  it.each([
    ['FailedMount', 'MountVolume.MountDevice failed for volume "cache-of-team" : rpc error'],
    ['FailedMount', 'Unable to attach or mount volumes: unmounted volumes=[cache-dir], unattached volumes=[]'],
    [
      'FailedAttachVolume',
      'Multi-Attach error for volume "cache-of-team" Volume is already exclusively attached to one node',
    ],
  ])('that cannot be mounted (%s: %s) is gone without after five minutes', async (reason, message) => {
    const world = await begun(volume);
    world.cluster.put(claims, { ...owned, spec: { volumeName: 'cache-of-team' } } as object);
    warning(world, reason, message);
    await world.pass({ now: at(299) });
    expect(world.condition()).toMatchObject({ reason });
    await world.pass({ now: at(300) });
    await goesOnWithout(world, 300, message);
  });

  it.each([
    ['of another name', 'MountVolume.SetUp failed for volume "cache-of-team-2" : rpc error'],
    ['of others', 'MountVolume.SetUp failed for volume "some-cache-name-token" : secret "x" not found'],
  ])('is not blamed for a volume %s', async (_, message) => {
    const world = await begun(volume);
    world.cluster.put(claims, { ...owned, spec: { volumeName: 'cache-of-team' } } as object);
    warning(world, 'FailedMount', message);
    await world.pass({ now: at(900) });
    expect(world.condition()).toMatchObject({ status: 'Unknown', reason: 'FailedMount', message });
  });

  it.each([
    '0/3 nodes are available: 3 node(s) exceed max volume count.',
    "0/3 nodes are available: 3 node(s) didn't find available persistent volumes to bind.",
    '0/3 nodes are available: 3 node(s) did not have enough free storage.',
    'running PreBind plugin "VolumeBinding": binding volumes: context deadline exceeded',
    '0/3 nodes are available: 3 node(s) had volume node affinity conflict.',
    '0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.',
    'persistentvolumeclaim "some-cache-name" not found',
  ])('that no node has (%s) is gone without after five minutes', async (message) => {
    const world = await begun(volume, {
      phase: 'Pending',
      conditions: [
        {
          type: 'PodScheduled',
          status: 'False',
          reason: 'Unschedulable',
          message,
          lastTransitionTime: '2026-11-21T09:00:00Z',
        },
      ],
    });
    await world.pass({ now: at(290) });
    expect(world.condition()).toMatchObject({ reason: 'Unschedulable' });
    await world.pass({ now: at(300) });
    await goesOnWithout(world, 300, message);
  });

  it('that another user wrote is told as what it is when restore fails, given up, and gone without', async () => {
    const world = await begun(volume, {
      phase: 'Failed',
      initContainerStatuses: [ended('prepare'), ended('restore', 1)],
    });
    world.cluster.put(claims, owned);
    world.cluster.setLog(podPath, 'restore', 'ERROR: failed to create cache: open /cache/committed: permission denied');
    await world.pass({ now: at(10) });
    expect(world.condition()['message']).toContain('CNB_USER_ID 2000 and CNB_GROUP_ID 3000');
    expect(world.cluster.has(`${claims}/some-cache-name`)).toBe(false);
    await goesOnWithout(world, 10, 'the cache was written by another user than the stack');
  });

  it('of somebody else is not deleted when restore fails on it', async () => {
    const world = await begun(volume, { phase: 'Failed', initContainerStatuses: [ended('restore', 42)] });
    world.cluster.put(claims, claim);
    await world.pass({ now: at(10) });
    expect(world.cluster.has(`${claims}/some-cache-name`)).toBe(true);
    await goesOnWithout(world, 10, 'the cache cannot be restored');
  });

  it('image that cannot be written is gone without', async () => {
    const image = {
      spec: { ...base.spec, cache: { registry: { tag: 'cache.example/c:1' } }, lastBuild: {} },
    } as WorldOptions;
    const world = await begun(image, {
      phase: 'Failed',
      initContainerStatuses: [ended('prepare'), ended('analyze', 1)],
    });
    world.cluster.setLog(
      podPath,
      'analyze',
      'ERROR: failed to initialize analyzer: validating registry write access: ensure registry read/write access to cache.example/c:1',
    );
    await world.pass({ now: at(10) });
    expect(world.condition()).toMatchObject({ reason: 'WithoutCache' });
    await goesOnWithout(world, 10, 'the cache image cannot be read or written');
  });

  it('image is not to blame when analyze fails for another', async () => {
    const image = {
      spec: { ...base.spec, cache: { registry: { tag: 'cache.example/c:1' } }, lastBuild: {} },
    } as WorldOptions;
    const world = await begun(image, {
      phase: 'Failed',
      initContainerStatuses: [ended('prepare'), ended('analyze', 1)],
    });
    world.cluster.setLog(
      podPath,
      'analyze',
      'ERROR: failed to initialize analyzer: validating registry write access: ensure registry read/write access to someimage/name',
    );
    await world.pass({ now: at(10) });
    expect(world.condition()).toMatchObject({ status: 'False', reason: 'Failed' });
  });

  it('is given up once: a build that fails without it failed', async () => {
    const world = await begun(volume, { phase: 'Failed', initContainerStatuses: [ended('restore', 42)] });
    await world.pass({ now: at(10) });
    await world.pass({ now: at(11) });
    world.podSays({ phase: 'Failed', initContainerStatuses: [ended('restore', 42)] });
    await world.pass({ now: at(20) });
    expect(world.condition()).toMatchObject({ status: 'False', reason: 'Failed' });
  });

  it('is no reason to make a pod again that somebody deletes', async () => {
    const world = await begun(volume, { phase: 'Failed', initContainerStatuses: [ended('restore', 42)] });
    await world.pass({ now: at(10) });
    await world.pass({ now: at(11) });
    expect(world.condition()).toMatchObject({ reason: 'WithoutCache' });
    world.cluster.remove(podPath);
    await world.pass({ now: at(20) });
    expect(world.condition()).toMatchObject({ status: 'False', reason: 'PodDeleted' });
  });

  it('is kept when restore was killed, or its time was over', async () => {
    for (const podStatus of [
      { phase: 'Failed', initContainerStatuses: [ended('restore', 137)] },
      { phase: 'Failed', reason: 'DeadlineExceeded', initContainerStatuses: [ended('restore', 1)] },
    ]) {
      const world = await begun(volume, podStatus);
      await world.pass({ now: at(10) });
      expect(world.condition()).toMatchObject({ status: 'False' });
    }
  });
});
