/** The table is away for minutes (DESIGN §3.6): nothing reaches the dead letters, and half a minute after it is back all is done. */
import { afterEach, describe, expect, it } from 'vitest';
import { imageStory } from '../../support/image-story.ts';
import type { Story } from '../../support/story.ts';
import { applyImage, builds } from '../../support/story-image.ts';

let told: Story | undefined;
afterEach(async () => {
  await told?.[Symbol.asyncDispose]();
  told = undefined;
});

const names = Array.from({ length: 12 }, (_, at) => `app-${at}`);

/** A second in which everything is handed out that may be, as often as Lambda would while functions fail. */
const second = async (world: Story): Promise<void> => {
  for (let batches = 0; batches < 5; batches += 1) if ((await world.deliver()).length === 0) break;
  world.later(1);
};

describe('the table away', () => {
  it.each([5, 60, 300])('for %d s costs half a minute after it is back, and no dead letter', async (awaySeconds) => {
    const world = (told = await imageStory());
    for (const name of names) await world.tell(applyImage(world.kube, name, { builder: 'base' }));
    world.setTableAway(true);
    for (let at = 0; at < awaySeconds; at += 1) await second(world);
    expect(builds(world.kube)).toStrictEqual([]);
    world.setTableAway(false);
    for (let at = 0; at < 30; at += 1) await second(world);
    expect([...builds(world.kube)].toSorted()).toStrictEqual(names.map((name) => `${name}-v1`).toSorted());
    expect([world.held('image'), world.held('image-dlq')]).toStrictEqual([0, 0]);
  });

  it('says so at each receive, and then begins anew with its first', async () => {
    const world = (told = await imageStory());
    await world.tell(applyImage(world.kube, 'app', { builder: 'base' }));
    world.setTableAway(true);
    for (let at = 0; at < 120; at += 1) await second(world);
    const receives = world.logged.flatMap(({ fields }) => fields['received'] ?? []);
    expect(receives.slice(0, 8)).toStrictEqual([1, 2, 3, 4, 1, 2, 3, 4]);
    expect(Math.max(...receives.map(Number))).toBe(4);
  });
});
