/** Builds whose pod starts all steps at once. */
import type { ContainerStatus } from 'kubernetes-types/core/v1.d.ts';
import { describe, expect, it } from 'vitest';
import { anotherFailedExitCode } from '../../../lib/api/step-exit.ts';
import { buildWorld, completionMessage, ended, podPath, status, type WorldOptions, waits } from './build-world.ts';

const steps = ['prepare', 'analyze', 'detect', 'restore', 'build', 'export', 'completion'];
const settings = { buildSteps: 'parallel' } as const;
const running = (name: string) => status(name, { running: {} }, true);
const killed = (name: string, exitCode: number, reason: string, finishedAt?: string): ContainerStatus =>
  status(name, { terminated: { exitCode, reason, ...(finishedAt !== undefined && { finishedAt }) } });

/** Its pod is there, and says nothing yet. */
const begun = async (more: WorldOptions = {}) => {
  const world = buildWorld({ settings, ...more });
  await world.pass();
  return world;
};
const patched = (world: Awaited<ReturnType<typeof begun>>) =>
  world.cluster.writes().filter(({ method, path }) => method === 'PATCH' && path.startsWith(podPath)).length;

describe('a Build whose steps start at once', () => {
  it('has succeeded when completion has ended well, whatever the pod’s phase says then', async () => {
    const world = await begun();
    const before = steps.slice(0, -1).map((name) => ended(name));
    world.podSays({ phase: 'Running', containerStatuses: [...before, running('completion')] });
    await world.pass();
    expect(world.condition()).toMatchObject({ status: 'Unknown' });
    // Kubelets sort by name.
    const containerStatuses = [ended('completion', 0, completionMessage()), ...before.toReversed()];
    world.podSays({ phase: 'Running', containerStatuses });
    await world.pass();
    expect(world.condition()).toMatchObject({ status: 'True', reason: 'Completed' });
    expect(world.build().status).toMatchObject({ stepsCompleted: steps, latestImage: expect.any(String) as string });
    expect(patched(world)).toBe(0);
  });

  it('has not succeeded while the kubelet has yet to say that another step has ended', async () => {
    const world = await begun();
    const containerStatuses = [...steps.slice(0, -1).map(running), ended('completion', 0, completionMessage())];
    world.podSays({ phase: 'Running', containerStatuses });
    await world.pass();
    expect(world.condition()).toMatchObject({ status: 'Unknown' });
  });

  it('tells the step that failed by itself, not those before it in the pod that gave up for it', async () => {
    const world = await begun();
    const gaveUp = (name: string) => ended(name, anotherFailedExitCode);
    const containerStatuses = [
      ...['prepare', 'analyze', 'detect', 'restore'].map((name) => ended(name)),
      gaveUp('build'),
      killed('export', 128, 'StartError'),
      gaveUp('completion'),
    ];
    world.podSays({ phase: 'Failed', containerStatuses });
    await world.pass();
    expect(world.condition()).toMatchObject({ status: 'False', reason: 'Failed' });
    expect(world.condition()['message']).toContain('Container export terminated with error');
  });

  it.each([
    ['was killed for memory', killed('build', 137, 'OOMKilled')],
    ['could not start', killed('build', 128, 'StartError')],
    ['failed without a word a minute ago', killed('build', 137, 'Error', '1970-01-01T00:00:00Z')],
  ])('ends when a step %s, as others wait for it in vain, and says so', async (_, failed) => {
    const world = await begun();
    const containerStatuses = [
      ...['prepare', 'analyze', 'detect', 'restore'].map((name) => ended(name)),
      failed,
      ...['export', 'completion'].map(running),
    ];
    world.podSays({ phase: 'Running', containerStatuses });
    await world.pass();
    expect(world.cluster.at(podPath).spec).toMatchObject({ activeDeadlineSeconds: 1 });
    await world.pass();
    expect(patched(world)).toBe(1);
    const stopped = ['export', 'completion'].map((name) => killed(name, 143, 'Error'));
    const message = 'Pod was active on the node longer than the specified deadline';
    const ends = [...containerStatuses.slice(0, -2), ...stopped];
    world.podSays({ phase: 'Failed', reason: 'DeadlineExceeded', message, containerStatuses: ends });
    await world.pass();
    expect(world.condition()).toMatchObject({ status: 'False', reason: 'Failed' });
    expect(world.condition()['message']).toMatch(/^Error: {2}Container build terminated with error/);
    expect(world.condition()['message']).not.toMatch(/longer/);
  });

  it('has time as long as it was given: one that is over is told as ever', async () => {
    const world = await begun({ spec: { activeDeadlineSeconds: 60 } });
    const containerStatuses = [ended('prepare'), ...steps.slice(1).map((name) => killed(name, 143, 'Error'))];
    world.podSays({ phase: 'Failed', reason: 'DeadlineExceeded', message: 'longer', containerStatuses });
    await world.pass();
    expect(world.condition()).toMatchObject({ status: 'False', reason: 'DeadlineExceeded' });
    expect(world.condition()['message']).toMatch(/Container analyze terminated .*buildTimeout/s);
  });

  it('says what a step cannot start for', async () => {
    const world = await begun();
    const containerStatuses = [running('prepare'), waits('analyze', 'ErrImagePull', 'not found')];
    world.podSays({ phase: 'Pending', containerStatuses });
    await world.pass();
    expect(world.condition()).toMatchObject({ reason: 'ErrImagePull', message: 'not found' });
  });
});

describe('a namespace that refuses the pod of such a Build', () => {
  const minimum = 'is forbidden: minimum memory usage per Container is 8Mi, but request is 0';
  const refusing = async (code: number, message: string) => {
    const world = buildWorld({ settings });
    world.cluster.failNext('POST', '/pods', code, { message: `pods "p" ${message}` });
    await world.pass();
    return world;
  };

  it.each([
    [403, minimum],
    [403, 'is forbidden: exceeded quota: q, requested: limits.memory=7Gi'],
    [422, 'is invalid: spec.resources.requests: must be greater than or equal to aggregate container requests'],
  ])('with %i gets one whose steps run in sequence, and the condition says why', async (code, message) => {
    const world = await refusing(code, message);
    expect(world.cluster.at(podPath).spec).toMatchObject({ initContainers: { length: 6 } });
    expect(world.condition()).toMatchObject({ status: 'Unknown', reason: 'StepsInSequence' });
    expect(world.condition()['message']).toContain(message);
  });

  it('gets the other also after a crash, as either is what could have been made', async () => {
    const world = await refusing(403, minimum);
    world.loseRecord();
    world.podSays({ phase: 'Running' });
    await world.pass();
    expect(world.condition()).toMatchObject({ reason: 'StepsInSequence' });
    const taken = await begun();
    taken.loseRecord();
    await taken.pass();
    expect(taken.condition()['reason']).not.toBe('PodNameTaken');
  });

  it('is asked once where we may not make pods at all', async () => {
    const world = await refusing(403, 'is forbidden: User "kpackless" cannot create resource "pods"');
    expect(world.cluster.has(podPath)).toBe(false);
    expect(world.condition()).toMatchObject({ reason: 'Retrying' });
    expect(
      world.cluster.writes().filter(({ method, path }) => method === 'POST' && path.endsWith('/pods')),
    ).toHaveLength(1);
  });
});
