import { describe, expect, it } from 'vitest';
import { type BuildWorld, buildWorld, podPath, succeededPod, type WorldOptions } from './build-world.ts';

/** Passes until one comes to an answer; a Build that needs more than a few does not recover. */
const settle = async (world: BuildWorld): Promise<void> => {
  for (let attempts = 0; attempts < 5; attempts += 1)
    if (!((await world.pass({ attempts })).outcome instanceof Error)) return;
  throw new Error('no pass came to an answer');
};

/** From nothing to the end, with every pass repeated until it answers. */
const story = async (world: BuildWorld): Promise<void> => {
  await settle(world);
  if (!world.cluster.has(podPath)) return;
  world.podSays({ phase: 'Running' });
  await settle(world);
  world.podSays(succeededPod());
  await settle(world);
};

const rebase: WorldOptions = { metadata: { generation: 1, annotations: { 'image.kpack.io/reason': 'STACK' } } };

/** What a user sees at the end, and how often something was made. */
const ending = (world: BuildWorld) => ({
  spec: world.build().spec,
  status: JSON.parse(JSON.stringify(world.build().status).replaceAll(/uid-\d+/g, 'uid')) as unknown,
  pods: world.cluster.requests.filter(({ method }) => method === 'POST').length,
});

describe.each([
  ['a build', {}],
  ['a rebase', rebase],
])('%s', (_, options) => {
  it.each(['request', 'answer'] as const)('ends the same wherever one %s is lost, and makes one pod', async (what) => {
    const untouched = buildWorld(options);
    await story(untouched);
    const expected = ending(untouched);
    for (let number = 0; number < untouched.cluster.requests.length; number += 1) {
      const world = buildWorld(options);
      world.cluster.lose(number, what);
      await story(world);
      const { pods, ...rest } = ending(world);
      const { pods: wanted, ...same } = expected;
      expect(rest, `request ${number}`).toEqual(same);
      // A lost create may be sent again; the API server then refuses it or it was never carried out.
      expect(pods, `request ${number}`).toBeLessThanOrEqual(wanted + 1);
    }
  });

  it('writes nothing more once it has ended', async () => {
    const world = buildWorld(options);
    await story(world);
    const writes = world.cluster.writes().length;
    await settle(world);
    await settle(world);
    expect(world.cluster.writes()).toHaveLength(writes);
  });
});
