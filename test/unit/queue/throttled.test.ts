/**
 * Throttling is no failure of a message. An account with ten concurrent executions throttles, as 13 mappings may have two each; a larger one does when
 * somebody else takes it all.
 */
import { describe, expect, it } from 'vitest';
import { virtualInstallation } from '../../support/virtual-installation.ts';

const images = 100;

/** Images are applied in an account that has no room at all for so long; how it went. */
const withoutRoom = async (accountConcurrency: number, seconds: number) => {
  const installation = await virtualInstallation({ on: 'AWS', accountConcurrency });
  installation.setExecutions(0);
  installation.apply(
    'team',
    Array.from({ length: images }, (_, index) => `image-${index}`),
  );
  await installation.time.pass(seconds);
  const [dead, { lost }] = [installation.dead(), installation.throttling()];
  installation.setExecutions(accountConcurrency);
  const from = installation.time.now;
  await installation.time.pass(3600, () => installation.done('team') === images);
  const result = { done: installation.done('team'), dead, lost, afterSeconds: (installation.time.now - from) / 1000 };
  await installation.stop();
  return result;
};

describe('an account with ten concurrent executions', () => {
  it('has no dead letter after an hour without room, though receives are lost, and goes on at once', async () => {
    const { done, dead, lost, afterSeconds } = await withoutRoom(10, 3600);
    expect({ done, dead }).toEqual({ done: images, dead: 0 });
    expect(lost).toBeGreaterThan(20);
    // The longest pause of who was throttled, then the work, two invocations of a kind at once.
    expect(afterSeconds).toBeLessThan(120);
  });
});

describe('an account into which all fits', () => {
  it('has no dead letter after seven minutes in which others take all of it', async () => {
    const { done, dead, lost, afterSeconds } = await withoutRoom(1000, 420);
    expect({ done, dead }).toEqual({ done: images, dead: 0 });
    expect(lost).toBeGreaterThan(0);
    expect(afterSeconds).toBeLessThan(60);
  });

  it('loses no receive while there is room again before messages are visible: a minute', async () => {
    expect(await withoutRoom(1000, 60)).toMatchObject({ done: images, dead: 0, lost: 0 });
  });
});
