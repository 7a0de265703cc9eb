/** When to look again (DESIGN §3.6, §3.7). */
import { describe, expect, it } from 'vitest';
import { ExpectedError } from '../../../lib/errors/expected.ts';
import { KubeError } from '../../../lib/kube/errors.ts';
import { dueOccasion } from '../../../lib/queue/message.ts';
import { dueAfterFailure, dueAfterOutcome, freshDueAt } from '../../../lib/reconcile/due.ts';
import { again, settled } from '../../../lib/reconcile/outcome.ts';

/** The largest number that random() gives, nearly. */
const almostOne = 1 - Number.EPSILON;

describe('due', () => {
  it.each([0, 0.5, almostOne])('whatever the dice say (%d), what is settled is looked at within a day', (random) => {
    const seconds = dueAfterOutcome(settled, random);
    expect(seconds).toBeLessThanOrEqual(86_400);
    expect(seconds).toBeGreaterThanOrEqual(64_800);
  });

  it.each([
    [3, 3],
    [600, 600],
    [7200, 600],
    [-1, 0],
  ])('a wish of %i s is granted within ten minutes: %i', (wish, expected) => {
    expect(dueAfterOutcome(again(wish, 'x'), 0)).toBe(expected);
  });

  it.each([
    ['soon', 1, 1],
    ['soon', 4, 8],
    ['soon', 99, 600],
    ['slow', 1, 60],
    ['slow', 3, 240],
    ['slow', 9, 600],
  ] as const)('%s, after failure %i: %i s at most', (pace, attempts, expected) => {
    const error = new ExpectedError('x', { pace });
    expect(dueAfterFailure(error, attempts, almostOne)).toBeCloseTo(expected);
    expect(dueAfterFailure(error, attempts, 0)).toBeCloseTo(expected * 0.75);
  });

  it('an API server that refuses while it starts costs seconds, one that goes on refusing is asked after minutes', () => {
    const refusal = new KubeError('forbidden', 'may not list', { status: 403, pace: 'slow' });
    expect(
      [1, 2, 3, 4, 5, 9].map((attempts) => Math.round(dueAfterFailure(refusal, attempts, almostOne))),
    ).toStrictEqual([1, 2, 4, 60, 120, 600]);
  });

  it('what the other side asks for is waited for, within ten minutes', () => {
    expect(dueAfterFailure(new ExpectedError('x', { retryAfterSeconds: 90 }), 1, 0)).toBe(90);
    expect(dueAfterFailure(new ExpectedError('x', { retryAfterSeconds: 9000 }), 1, 0)).toBe(600);
  });

  it('is in the future, and never a time that was sent: SQS would swallow the timer', () => {
    expect(freshDueAt(100, 0, [])).toBe(101);
    expect(freshDueAt(100, 0.2, [])).toBe(101);
    expect(freshDueAt(100, 7.5, [])).toBe(108);
    expect(freshDueAt(100, 0, [{ occasion: dueOccasion(101) }, { occasion: dueOccasion(102) }])).toBe(103);
  });
});
