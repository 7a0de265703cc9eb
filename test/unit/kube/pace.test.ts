/** How fast a cluster is asked: a bucket that gives way to refusals (DESIGN §3.33). Time is made by the test. */
import { describe, expect, it } from 'vitest';
import { Pace, usualRate } from '../../../lib/kube/pace.ts';

/**
 * Asks as fast as the pace allows, `lanes` at once, for so many seconds; `refuses` says whether the n-th request of a second is. Gives what was sent
 * and refused in each second.
 */
const ask = (
  pace: Pace,
  {
    from = 0,
    seconds,
    most,
    refuses,
  }: { from?: number; seconds: number; most: number; refuses: (nth: number) => boolean },
) => {
  const perSecond: { sent: number; refused: number }[] = [];
  let free = from * 1000;
  for (let second = from; second < from + seconds; second += 1) {
    const count = { sent: 0, refused: 0 };
    const end = (second + 1) * 1000;
    for (let at = Math.max(free, second * 1000); at < end && count.sent < most; ) {
      const wait = pace.enter(at);
      at += wait;
      free = at;
      if (at >= end) break;
      count.sent += 1;
      if (refuses(count.sent)) {
        count.refused += 1;
        pace.refused();
      }
    }
    perSecond.push(count);
  }
  return perSecond;
};

describe('the pace of a cluster', () => {
  it('without refusals is no wait up to its burst, then its rate', () => {
    const pace = new Pace({ perSecond: 10, burst: 5 }, 0);
    expect(Array.from({ length: 7 }, () => pace.enter(0))).toStrictEqual([0, 0, 0, 0, 0, 100, 200]);
    // What was taken ahead is paid back, and no more than the burst is saved.
    expect(pace.enter(300)).toBe(0);
    expect(Array.from({ length: 6 }, () => pace.enter(60_000))).toStrictEqual([0, 0, 0, 0, 0, 100]);
  });

  it('by default slows nobody: two thousand at once do not wait', () => {
    const pace = new Pace(usualRate, 0);
    expect(Array.from({ length: 2000 }, () => pace.enter(0)).every((wait) => wait === 0)).toBe(true);
  });

  it('finds in seconds what a server takes that takes 50 a second, and leaves it with few refusals', () => {
    const pace = new Pace(usualRate, 0);
    const seen = ask(pace, { seconds: 60, most: 400, refuses: (nth) => nth > 50 });
    expect(seen[0]).toStrictEqual({ sent: 400, refused: 350 });
    const later = seen.slice(10);
    const sent = later.reduce((sum, each) => sum + each.sent, 0) / later.length;
    expect(sent).toBeGreaterThan(50);
    expect(sent).toBeLessThan(100);
  });

  it('gives way by half where everything is refused, and comes back in steps', () => {
    const pace = new Pace({ perSecond: 1000, burst: 1000 }, 0);
    ask(pace, { seconds: 8, most: 1000, refuses: () => true });
    pace.enter(8000);
    pace.enter(9000);
    const slowest = pace.perSecond;
    expect(slowest).toBeLessThan(20);
    const rates = [10, 11, 12].map((second) => {
      pace.enter(second * 1000);
      return pace.perSecond;
    });
    expect(rates.map((rate) => Math.round(rate - slowest))).toStrictEqual([10, 20, 30]);
    pace.enter(200_000);
    expect(pace.perSecond).toBe(1000);
  });

  it('hardly feels what is refused at random: after a minute of one in ten there are a hundred a second and more', () => {
    const pace = new Pace(usualRate, 0);
    const seen = ask(pace, { seconds: 60, most: 300, refuses: (nth) => nth % 10 === 0 });
    expect(seen.every(({ sent }) => sent > 200)).toBe(true);
    const third = ask(new Pace(usualRate, 0), { seconds: 60, most: 300, refuses: (nth) => nth % 3 === 0 });
    expect(Math.min(...third.map(({ sent }) => sent))).toBeGreaterThan(60);
  });

  it('one refusal in an idle minute is nothing', () => {
    const pace = new Pace(usualRate, 0);
    pace.enter(0);
    pace.refused();
    pace.enter(60_000);
    expect(pace.perSecond).toBeGreaterThanOrEqual(100);
    pace.enter(180_000);
    expect(pace.perSecond).toBe(2000);
  });

  it('a place that is given back is another’s', () => {
    const pace = new Pace({ perSecond: 1, burst: 1 }, 0);
    pace.enter(0);
    pace.enter(0);
    pace.leave();
    expect(pace.enter(0)).toBe(1000);
  });
});
