import { describe, expect, it } from 'vitest';
import { mayTakePlace } from '../../../lib/queue/shares.ts';

/** What tenants hold when all of them want everything and nothing ever ends. */
const held = (tenants: number, places: number): readonly number[] => {
  const holds = Array.from({ length: tenants }, () => 0);
  for (let isMoving = true; isMoving; ) {
    isMoving = false;
    for (let tenant = 0; tenant < tenants; tenant += 1) {
      const free = places - holds.reduce((sum, each) => sum + each, 0);
      if (!mayTakePlace(holds[tenant] ?? 0, free)) continue;
      holds[tenant] = (holds[tenant] ?? 0) + 1;
      isMoving = true;
    }
  }
  return holds;
};

describe('a tenant whose passes hang', () => {
  it('holds four fifths of the places at most', () => {
    expect(held(1, 25)).toEqual([20]);
    expect(held(1, 5)).toEqual([4]);
  });

  it.each([1, 2, 3, 4, 5, 6])('and %i of them together leave a place for another', (tenants) => {
    expect(held(tenants, 25).reduce((sum, each) => sum + each, 0)).toBeLessThan(25);
  });

  it('takes a place even where there is one only', () => {
    expect(held(1, 1)).toEqual([1]);
  });
});
