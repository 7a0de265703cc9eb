import { describe, expect, it } from 'vitest';
import { Bursts } from '../../../lib/queue/bursts.ts';

const taken = (bursts: Bursts, who: string, times: number, now: number): number =>
  Array.from({ length: times }, () => bursts.take(who, now)).filter(Boolean).length;

describe('bursts', () => {
  it('let a tenant send twenty straight, and then two a second, whatever it sends', () => {
    const bursts = new Bursts();
    expect(taken(bursts, 'team', 2000, 0)).toBe(20);
    expect(taken(bursts, 'team', 2000, 1000)).toBe(2);
    expect(taken(bursts, 'team', 2000, 4000)).toBe(6);
    expect(taken(bursts, 'team', 2000, 60_000)).toBe(20);
  });

  it('of one tenant take nothing from another', () => {
    const bursts = new Bursts();
    taken(bursts, 'team', 10_000, 0);
    expect(bursts.take('other', 0)).toBe(true);
  });

  it('forget who has not sent of late, and hold ten thousand at most', () => {
    const bursts = new Bursts();
    for (let at = 0; at < 30_000; at += 1) bursts.take(`team-${at}`, 0);
    expect(bursts.size).toBe(10_000);
    bursts.take('team', 10_000);
    expect(bursts.size).toBe(1);
  });

  it('are not hurt by a clock that goes back', () => {
    const bursts = new Bursts();
    expect(taken(bursts, 'team', 100, 10_000)).toBe(20);
    expect(taken(bursts, 'team', 100, 0)).toBe(0);
    expect(taken(bursts, 'team', 100, 20_000)).toBe(20);
  });
});
