import { describe, expect, it } from 'vitest';
import { buildWorld, completionMessage, ended, lifecycleSteps } from './build-world.ts';

describe('a Build', () => {
  it('02#147 whose pod ran out of time after completion has succeeded', async () => {
    const world = buildWorld();
    await world.pass();
    world.podSays({
      phase: 'Failed',
      reason: 'DeadlineExceeded',
      initContainerStatuses: lifecycleSteps.map((name) => ended(name)),
      containerStatuses: [ended('completion', 0, completionMessage())],
    });
    await world.pass();
    expect(world.condition()).toMatchObject({ status: 'True', reason: 'Completed' });
    expect(world.build().status).toMatchObject({ buildMetadata: [{ id: 'test/bp', version: '1.0.0' }] });
  });

  it('02#163 whose status somebody else wrote meanwhile is decided again, and the pod that was made is known as ours', async () => {
    const world = buildWorld();
    world.cluster.failNext('PUT', '/builds/build-name/status', 409);
    expect(await world.pass()).toMatchObject({
      outcome: { afterSeconds: 1 },
      memory: expect.stringContaining('pod') as string,
    });
    await world.pass();
    expect(world.build().status).toMatchObject({ podName: 'build-name-build-pod' });
    expect(
      world.cluster.writes().filter(({ method, path }) => method === 'POST' && path.endsWith('/pods')),
    ).toHaveLength(1);
  });
});
