/**
 * The table or the queues are away while Images are applied (DESIGN §3.6): the code of the handlers, of the senders and the sweeper on AWS, behind mappings
 * that poll less while functions fail, in virtual time. Half a minute after what was away is back all have their pods, and nothing lies in the dead letters.
 */
import { describe, expect, it } from 'vitest';
import { virtualInstallation } from '../../support/virtual-installation.ts';

const [before, after, goalSeconds] = [5, 2, 30];
const tenants = 10;

/** Images are applied, so many a second, before the outage, while it lasts and after it. Gives the seconds from its end to the last pod. */
const outage = async (what: 'table' | 'queues', awaySeconds: number, perSecond: number) => {
  const world = await virtualInstallation({ on: 'AWS', sweepSeconds: 60 });
  const setAway = what === 'table' ? world.setTableAway : world.setQueuesAway;
  let applied = 0;
  const apply = async (seconds: number): Promise<void> => {
    for (let at = 0; at < seconds * perSecond; at += 1) {
      world.apply(`team-${applied % tenants}`, [`app-${applied}`]);
      applied += 1;
      await world.time.pass(1 / perSecond);
    }
  };
  const done = (): number =>
    Array.from({ length: tenants }, (_, at) => world.done(`team-${at}`)).reduce((a, b) => a + b);
  try {
    await apply(before);
    setAway(true);
    await apply(awaySeconds);
    setAway(false);
    const backAt = world.time.now;
    await apply(after);
    await world.time.pass(600, () => done() === applied);
    const lastAfter = (world.time.now - backAt) / 1000;
    // What nobody could say is over is worked off in the end.
    await world.time.pass(600, () => world.held() === 0);
    return { missing: applied - done(), lastAfter, held: world.held(), dead: world.dead() };
  } finally {
    await world.stop();
  }
};

describe.each([
  ['table', 5, 4],
  ['table', 60, 4],
  ['table', 300, 1],
  ['queues', 40, 4],
  ['queues', 300, 1],
] as const)('the %s away for %d s, while %d Images a second are applied', (what, awaySeconds, perSecond) => {
  it('leaves no dead letter, and half a minute later every Image has its pod', async () => {
    const { lastAfter, ...left } = await outage(what, awaySeconds, perSecond);
    expect(left).toStrictEqual({ missing: 0, held: 0, dead: 0 });
    expect(lastAfter).toBeLessThanOrEqual(goalSeconds);
  }, 60_000);
});
