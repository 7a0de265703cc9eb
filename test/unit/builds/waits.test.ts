/** A pod that waits says what for, and has an end whatever it waits for. */
import type { ContainerState, Pod } from 'kubernetes-types/core/v1.d.ts';
import { describe, expect, it } from 'vitest';
import type { Build } from '../../../lib/api/build.ts';
import { memoryOf, memoryText } from '../../../lib/builds/build-memory.ts';
import { madePod } from '../../../lib/builds/made-pod.ts';
import { buildWorld, ended, namespace, podPath, pods, runs, secret, status, waits } from './build-world.ts';
import { at, base, begun, starting, warning } from './starting-pod.ts';

describe('a pod that does not start', () => {
  it('costs no look while it is young, and is looked at again soon', async () => {
    const world = await begun();
    const before = world.cluster.requests.length;
    expect((await world.pass({ now: at(20) })).outcome).toMatchObject({ afterSeconds: 30 });
    expect(world.cluster.requests.slice(before).filter(({ method }) => method === 'GET')).toHaveLength(2);
    expect(world.condition()).toMatchObject({ reason: 'PodInitializing' });
  });

  it.each([
    [
      'an image pull Secret of the builder',
      { builder: { image: 'builder.example/b', imagePullSecrets: [{ name: 'puller' }] } },
      'MissingSecret',
      'Secret "puller"',
    ],
    [
      'an image pull Secret of the source',
      { source: { registry: { image: 'registry.example/src', imagePullSecrets: [{ name: 'src-puller' }] } } },
      'MissingSecret',
      'Secret "src-puller"',
    ],
    [
      'the claim of the cache',
      { cache: { volume: { persistentVolumeClaimName: 'gone' } } },
      'MissingClaim',
      'PersistentVolumeClaim "gone"',
    ],
  ])('because of %s that is not there names it', async (_, spec, reason, what) => {
    const world = await begun({ spec: { ...base.spec, ...spec } });
    await world.pass({ now: at(31) });
    expect(world.condition()).toMatchObject({ status: 'Unknown', reason });
    expect(world.condition()['message']).toContain(
      `${what}, not found in namespace ${namespace}: create what is missing`,
    );
  });

  it('goes on once what was missing is there', async () => {
    const world = await begun({
      spec: { ...base.spec, builder: { image: 'builder.example/b', imagePullSecrets: [{ name: 'puller' }] } },
    });
    await world.pass({ now: at(31) });
    const { path, object } = secret('puller');
    world.cluster.put(path, object);
    world.podSays({ phase: 'Running', initContainerStatuses: [runs('prepare')] });
    await world.pass({ now: at(60) });
    expect(world.condition()).toEqual({ type: 'Succeeded', status: 'Unknown' });
  });

  it('costs no look while it pulls images: its volumes are mounted then', async () => {
    const pulling = { type: 'PodReadyToStartContainers', status: 'True', lastTransitionTime: '2026-11-21T09:00:05Z' };
    const world = await begun(base, { ...starting, conditions: [...(starting.conditions ?? []), pulling] });
    const before = world.cluster.requests.length;
    expect((await world.pass({ now: at(600) })).outcome).toMatchObject({ afterSeconds: 300 });
    expect(world.cluster.requests.slice(before).filter(({ method }) => method === 'GET')).toHaveLength(2);
  });

  it('is looked at ever more rarely', async () => {
    const world = await begun();
    const pauses: unknown[] = [];
    for (const seconds of [31, 62, 130, 400]) pauses.push((await world.pass({ now: at(seconds) })).outcome);
    expect(pauses).toMatchObject([31, 62, 130, 300].map((afterSeconds) => ({ afterSeconds })));
  });

  it('has the last warning of its node, whatever else there is', async () => {
    const world = await begun();
    warning(world, 'FailedMount', 'MountVolume.SetUp failed for volume "x" : old', '2026-11-21T09:00:10Z');
    warning(
      world,
      'FailedMount',
      'MountVolume.SetUp failed for volume "x" : secret "y" not found',
      '2026-11-21T09:00:29Z',
    );
    warning(world, 'Pulling', 'Pulling image', '2026-11-21T09:00:30Z', 'Normal');
    await world.pass({ now: at(31) });
    expect(world.condition()).toMatchObject({
      status: 'Unknown',
      reason: 'FailedMount',
      message: 'MountVolume.SetUp failed for volume "x" : secret "y" not found',
    });
  });

  it('says what it says itself where events may not be read', async () => {
    const world = await begun();
    world.cluster.failNext('GET', '/events', 403, {
      message: 'events is forbidden: User "kpackless" cannot list resource "events"',
    });
    await world.pass({ now: at(31) });
    expect(world.condition()).toMatchObject({ status: 'Unknown', reason: 'PodInitializing' });
  });

  it('ends after an hour with what was wrong, and after six when nothing is said', async () => {
    const told = await begun();
    warning(told, 'FailedCreatePodSandBox', 'no IP address is left');
    await told.pass({ now: at(3599) });
    expect(told.condition()).toMatchObject({ status: 'Unknown' });
    await told.pass({ now: at(3600) });
    expect(told.condition()).toMatchObject({
      status: 'False',
      reason: 'FailedCreatePodSandBox',
      message: expect.stringContaining('no IP address is left') as string,
    });
    expect(told.cluster.has(podPath)).toBe(false);
    const silent = await begun();
    await silent.pass({ now: at(6 * 3600 - 1) });
    expect(silent.condition()).toMatchObject({ status: 'Unknown' });
    await silent.pass({ now: at(6 * 3600) });
    expect(silent.condition()).toMatchObject({ status: 'False', reason: 'NotStarted' });
  });
});

describe('a pod that waits', () => {
  it.each([
    'RegistryUnavailable',
    'SignatureValidationFailed',
    'ErrImageNeverPull',
    'PostStartHookError',
    'SomethingNew',
  ])('for %s, as for anything that is no turn, ends after an hour', async (reason) => {
    const stuck = {
      phase: 'Pending',
      startTime: '2026-11-21T09:00:00Z',
      initContainerStatuses: [waits('prepare', reason, 'why')],
    };
    const world = await begun(base, stuck);
    await world.pass({ now: at(3600) });
    expect(world.condition()).toMatchObject({ status: 'False', reason });
  });

  const sidecar = (restartCount: number, started: boolean, state: ContainerState) => ({
    ...status('istio-proxy', state),
    restartCount,
    started,
  });
  const crashed: ContainerState = { terminated: { exitCode: 1, finishedAt: '2026-11-21T09:59:59Z' } };
  const withSidecar = async (first: ReturnType<typeof sidecar>, prepare = waits('prepare', 'PodInitializing')) => {
    const world = await begun(base, starting);
    const { metadata, spec, ...pod } = world.cluster.at(podPath) as Pod & {
      readonly metadata: { readonly name: string };
    };
    const injected = { name: 'istio-proxy', restartPolicy: 'Always' };
    const { memory } = await world.pass({ now: at(1) });
    const seen = {
      ...pod,
      metadata,
      spec: { ...spec, initContainers: [injected, ...(spec?.initContainers ?? [])] },
      status: { ...starting, initContainerStatuses: [first, prepare] },
    };
    world.cluster.put(pods, seen);
    const made = madePod(seen as Pod);
    const record = memoryText({ ...memoryOf(memory, world.build() as unknown as Build), pod: made });
    return { world, record };
  };

  it.each([
    ['has ended', crashed],
    ['runs again', { running: {} }],
  ])('for a native sidecar that was started again and is not ready says so while it %s, and ends', async (_, state) => {
    const { world, record } = await withSidecar(sidecar(3, false, state));
    await world.pass({ now: at(60), memory: record });
    expect(world.condition()).toMatchObject({
      status: 'Unknown',
      reason: 'CrashLoopBackOff',
      message: expect.stringContaining('steps wait for container istio-proxy') as string,
    });
    await world.pass({ now: at(3600) });
    expect(world.condition()).toMatchObject({ status: 'False', reason: 'CrashLoopBackOff' });
    expect(world.cluster.has(podPath)).toBe(false);
  });

  it.each([
    ['is on its first run', sidecar(0, false, { running: {} }), waits('prepare', 'PodInitializing')],
    ['is ready after all', sidecar(2, true, { running: {} }), waits('prepare', 'PodInitializing')],
    ['fails while steps run', sidecar(3, false, crashed), status('prepare', { running: { startedAt: '' } })],
  ])('does not speak of a native sidecar that %s', async (_, first, prepare) => {
    const { world, record } = await withSidecar(first, prepare);
    await world.pass({ now: at(20), memory: record });
    expect(world.condition()['reason'] ?? '').not.toBe('CrashLoopBackOff');
  });

  it('for a native sidecar that fails again and again ends', async () => {
    const looping = {
      ...starting,
      initContainerStatuses: [
        waits('istio-proxy', 'CrashLoopBackOff', 'back-off 5m0s restarting failed container'),
        waits('prepare', 'PodInitializing'),
      ],
    };
    const world = await begun(base, looping);
    await world.pass({ now: at(3600) });
    expect(world.condition()).toMatchObject({ status: 'False', reason: 'CrashLoopBackOff' });
  });

  it('is not held up by a regular container of others that cannot start, unless it was made to wait for them', async () => {
    const podStatus = {
      phase: 'Pending',
      startTime: '2026-11-21T09:00:00Z',
      initContainerStatuses: [ended('prepare'), status('build', { running: { startedAt: '2026-11-21T09:00:10Z' } })],
      containerStatuses: [waits('completion', 'PodInitializing'), waits('agent', 'ImagePullBackOff', 'not found')],
    };
    const world = await begun(base, podStatus);
    await world.pass({ now: at(7200) });
    expect(world.condition()).toMatchObject({ status: 'Unknown' });
    expect(world.cluster.has(podPath)).toBe(true);
  });

  it.each([
    [
      'gates',
      {
        conditions: [
          {
            type: 'PodScheduled',
            status: 'False',
            reason: 'SchedulingGated',
            message: 'Scheduling is blocked due to non-empty scheduling gates',
            lastTransitionTime: '2026-11-21T09:00:00Z',
          },
        ],
      },
      'scheduling gates',
    ],
    ['a scheduler that there is not', {}, 'took no notice of pod'],
  ])('for %s ends after a day', async (_, more, words) => {
    const world = await begun(base, { phase: 'Pending', ...more });
    const { metadata, ...pod } = world.cluster.at(podPath);
    world.cluster.put(pods, { ...pod, metadata: { ...metadata, creationTimestamp: '2026-11-21T09:00:00Z' } });
    await world.pass({ now: at(24 * 3600 - 1) });
    expect(world.condition()).toMatchObject({ status: 'Unknown' });
    await world.pass({ now: at(24 * 3600) });
    expect(world.condition()).toMatchObject({
      status: 'False',
      reason: 'Unschedulable',
      message: expect.stringContaining(words) as string,
    });
  });
});

describe('a binding', () => {
  it.each([
    ['a Secret', { services: [{ kind: 'Secret', name: 'db' }] }, 'MissingSecret', 'secrets "db" not found'],
    [
      'a Secret of the older form',
      { cnbBindings: [{ name: 'b', metadataRef: { name: 'm' }, secretRef: { name: 'db' } }] },
      'MissingSecret',
      'secrets "db" not found',
    ],
    [
      'a ConfigMap',
      { cnbBindings: [{ name: 'b', metadataRef: { name: 'm' } }] },
      'MissingConfigMap',
      'configmaps "m" not found',
    ],
  ])('to %s that is not there keeps the pod from being made, and names it', async (_, spec, reason, message) => {
    const world = buildWorld({ spec: { ...base.spec, ...spec } });
    await world.pass();
    expect(world.condition()).toMatchObject({
      status: 'Unknown',
      reason,
      message: expect.stringContaining(message) as string,
    });
    expect(world.cluster.has(podPath)).toBe(false);
  });
});
