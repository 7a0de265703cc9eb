/**
 * What a namespace waits for its one Image while another has thousands under way (DESIGN §3.32), on both adapters: the code of the handlers and an API
 * server that answers 600 requests a second, in virtual time. The real API server: test/contract/queue/fairness.test.ts, npm run bench -- --only fair.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type VirtualOptions, virtualInstallation } from '../../support/virtual-installation.ts';

type Installation = Awaited<ReturnType<typeof virtualInstallation>>;

const many = 2000;
const names = Array.from({ length: many }, (_, at) => `app-${at}`);
const hour = 3600;
const goalSeconds = 2;

const using = async (options: VirtualOptions, story: (world: Installation) => Promise<void>): Promise<void> => {
  const world = await virtualInstallation(options);
  try {
    await story(world);
  } finally {
    await world.stop();
  }
};

/** Images of other namespaces come after so many seconds each; the longest wait of them. */
const longest = async (world: Installation, gaps: readonly number[], seen?: string): Promise<number> => {
  let most = 0;
  for (const gap of gaps) {
    await world.time.pass(gap);
    most = Math.max(most, await world.oneOfAnother(seen));
  }
  return most;
};

describe.each(['AWS', 'one process'] as const)('on %s another namespace’s Image has its pod within 2 s', (on) => {
  // What one has made the next finds: to make them anew each time takes most of the time.
  let world: Installation;
  beforeAll(async () => {
    world = await virtualInstallation({ on });
  });
  afterAll(() => world.stop());

  it(`beside ${many} Images that are made at once`, async () => {
    world.apply('many', names);
    expect(await longest(world, [0, 1, 3, 10])).toBeLessThan(goalSeconds);
    expect(world.done('many')).toBeLessThan(many);
    expect(await world.time.pass(hour, () => world.done('many') === many && world.held() === 0)).toBe(true);
  }, 60_000);

  it(`beside a start that finds ${many} Images as they were, and asks for the lists and nothing else`, async () => {
    const before = world.requests();
    void Promise.all([world.list('Image'), world.list('Build')]);
    await world.time.pass(1);
    expect(await world.time.pass(hour, () => world.held() === 0)).toBe(true);
    // Those of the others are listed too.
    expect(world.requests() - before).toBe(2 * Math.ceil((many + 4) / 250));
    void Promise.all([world.list('Image'), world.list('Build')]);
    expect(await longest(world, [0, 1])).toBeLessThan(goalSeconds);
    expect(await world.time.pass(hour, () => world.held() === 0)).toBe(true);
  }, 60_000);

  it(`beside a start that finds ${many} Images of which nothing is known`, async () => {
    void Promise.all([world.list('Image', 'e.1'), world.list('Build', 'e.1')]);
    expect(await longest(world, [0, 1, 3])).toBeLessThan(goalSeconds);
    expect(world.held()).toBeGreaterThan(0);
    expect(await world.time.pass(hour, () => world.held() === 0)).toBe(true);
  }, 60_000);

  it(`beside a stack change over ${many} Images`, async () => {
    void world.setBuilder('v2');
    await world.time.pass(60, () => world.done('many', 'v2') > 0);
    expect(await longest(world, [0, 1, 3, 10], 'v2')).toBeLessThan(goalSeconds);
    expect(world.done('many', 'v2')).toBeLessThan(many);
    expect(await world.time.pass(hour, () => world.done('many', 'v2') === many)).toBe(true);
    expect(world.dead()).toBe(0);
  }, 60_000);

  it('beside 500 Builds of one namespace that hang for a minute each, at a registry that does not answer', () =>
    using({ on, hanging: { namespace: 'many', milliseconds: 60_000 } }, async (hanging) => {
      hanging.apply('many', names.slice(0, 500));
      expect(await longest(hanging, [1, 5, 20])).toBeLessThan(goalSeconds);
      expect(hanging.done('many')).toBeLessThan(500);
    }));
});

it('on AWS the many take no longer than if everything went straight, when others wait for all of them', async () => {
  const measured = { straight: { wait: 0, seconds: 0 }, fair: { wait: 0, seconds: 0 } };
  for (const [which, result] of Object.entries(measured))
    await using({ on: 'AWS', isFair: which === 'fair' }, async (world) => {
      const began = world.time.now;
      world.apply('many', names);
      result.wait = await longest(world, [1]);
      await world.time.pass(hour, () => world.done('many') === many);
      result.seconds = (world.time.now - began) / 1000;
    });
  expect(measured.straight.wait).toBeGreaterThan(20);
  expect(measured.fair.wait).toBeLessThan(goalSeconds);
  // Who of one moment comes first moves it by a hundredth either way.
  expect(measured.fair.seconds).toBeLessThanOrEqual(1.02 * measured.straight.seconds);
}, 60_000);
