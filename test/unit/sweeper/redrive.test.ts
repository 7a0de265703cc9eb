/** Dead letters come back by themselves: soon after an outage, and the more rarely the more often they return (DESIGN §3.6). */
import { afterEach, describe, expect, it } from 'vitest';
import { sqsDeadLetters } from '../../../lib/queue/sqs-dead-letters.ts';
import { Redrives } from '../../../lib/state/redrives.ts';
import { nextRedrive, redriveDeadLetters } from '../../../lib/sweeper/redrive.ts';
import { type Story, story } from '../../support/story.ts';
import { applyBuilder, applyImage, builds, storyReconciler } from '../../support/story-image.ts';

let told: Story | undefined;
afterEach(async () => {
  await told?.[Symbol.asyncDispose]();
  told = undefined;
});

const begin = async (): Promise<Story> => {
  told = await story({ reconciler: storyReconciler(), queue: 'image' });
  applyBuilder(told.kube, 'base', 'v1');
  return told;
};

const redrive = (world: Story): Promise<readonly string[]> => {
  const log = (_level: string, what: string, fields = {}): void => void world.logged.push({ what, fields });
  const deadLetters = sqsDeadLetters(world.queues, world.queueUrl);
  const now = Math.floor(world.now().getTime() / 1000);
  return redriveDeadLetters({ deadLetters, redrives: new Redrives(world.table), log }, ['image', 'build'], now);
};

/** Passes so many minutes, with a poll of the queue every five seconds. */
const minutes = async (world: Story, count: number): Promise<void> => {
  for (let step = 0; step < count * 12; step += 1) {
    world.later(5);
    await world.deliver();
  }
};

describe('a table that is away', () => {
  it('for a quarter of an hour uses up no message', async () => {
    const world = await begin();
    await world.tell(applyImage(world.kube, 'app', { builder: 'base' }));
    world.setTableAway(true);
    await minutes(world, 15);
    world.setTableAway(false);
    await minutes(world, 5);
    expect([world.held('image'), world.held('image-dlq')]).toStrictEqual([0, 0]);
    expect(builds(world.kube)).toStrictEqual(['app-v1']);
  });

  it('for an hour leaves no dead letter either', async () => {
    const world = await begin();
    for (const name of ['a', 'b']) await world.tell(applyImage(world.kube, name, { builder: 'base' }));
    world.setTableAway(true);
    await minutes(world, 60);
    expect([world.held('image'), world.held('image-dlq')]).toStrictEqual([2, 0]);
    world.setTableAway(false);
    await minutes(world, 1);
    expect([world.held('image'), world.held('image-dlq')]).toStrictEqual([0, 0]);
    expect(builds(world.kube)).toStrictEqual(['a-v1', 'b-v1']);
    expect(await redrive(world)).toStrictEqual([]);
  });
});

describe('a poison object', () => {
  it('comes back at most eight times in two days, not each time somebody looks', async () => {
    const world = await begin();
    await world.tell(applyImage(world.kube, 'app', { builder: 'base', wish: 'throw' }));
    let redrives = 0;
    for (let ten = 0; ten < 2 * 24 * 6; ten += 1) {
      for (let minute = 0; minute < 10 && world.held('image') > 0; minute += 1) {
        await world.deliver();
        world.later(60);
      }
      world.later(600);
      redrives += (await redrive(world)).length;
    }
    expect(redrives).toBeGreaterThanOrEqual(4);
    expect(redrives).toBeLessThanOrEqual(8);
  });

  it.each([
    [1, 599, undefined],
    [1, 600, 2],
    [2, 2399, undefined],
    [2, 2400, 3],
    [9, 86_399, undefined],
    [9, 86_400, 10],
    [9, 172_800, 1],
  ])('brought back %i times in a row, the last %i s ago: %s', (times, ago, next) => {
    expect(nextRedrive({ at: 1000, times }, 1000 + ago)?.times).toBe(next);
  });

  it('is brought back by one sweeper, when two look at once', async () => {
    const world = await begin();
    const redrives = new Redrives(world.table);
    const next = { at: 1000, times: 1 };
    expect(
      await Promise.all([redrives.begin('image', next, undefined), redrives.begin('image', next, undefined)]),
    ).toStrictEqual([true, false]);
    expect(await redrives.last('image')).toStrictEqual(next);
  });
});
