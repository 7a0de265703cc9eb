/** Which failed calls are made again within a pass, and when (DESIGN §3.33). */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PermanentError } from '../../../lib/errors/expected.ts';
import { KubeError } from '../../../lib/kube/errors.ts';
import { retryAfterMilliseconds } from '../../../lib/kube/patience.ts';

const minute = 60_000;
const throttled = (retryAfterSeconds?: number) => new KubeError('throttled', 'x', { status: 429, retryAfterSeconds });
const answered = (status: number) => new KubeError('server', 'x', { status });
const broken = (code?: string) =>
  new KubeError('unreachable', 'x', { cause: Object.assign(new Error('x'), code === undefined ? {} : { code }) });
/** How often a call that goes on failing so is made in all. */
const triesOf = (error: unknown): number => {
  let tries = 1;
  while (retryAfterMilliseconds(error, { tries, remainingMilliseconds: minute }, 0.5) !== undefined) tries += 1;
  return tries;
};

describe('a call that failed', () => {
  it.each([
    ['429', throttled(), 5],
    ['500', answered(500), 5],
    ['502', answered(502), 5],
    ['503', answered(503), 5],
    ['a reset', broken('ECONNRESET'), 5],
    ['a broken pipe', broken('EPIPE'), 5],
    ['an answer that broke off', broken(), 5],
    ['a port that nobody listens at', broken('ECONNREFUSED'), 2],
    ['a host without an address', broken('ENOTFOUND'), 2],
    ['501', answered(501), 1],
    ['504, which has taken its time', answered(504), 1],
    ['no answer in time', new KubeError('timeout', 'x'), 1],
    ['a certificate that is not trusted', broken('CERT_HAS_EXPIRED'), 1],
    ['an answer that is none', new KubeError('server', 'x'), 1],
    ['401', new KubeError('unauthorized', 'x', { status: 401 }), 1],
    ['403', new KubeError('forbidden', 'x', { status: 403 }), 1],
    ['404', new KubeError('not-found', 'x', { status: 404 }), 1],
    ['409', new KubeError('conflict', 'x', { status: 409 }), 1],
    ['an object that exists', new KubeError('already-exists', 'x', { status: 409 }), 1],
    ['410', new KubeError('expired', 'x', { status: 410 }), 1],
    ['422', new PermanentError('Invalid', 'x'), 1],
    ['a bug', new TypeError('x'), 1],
  ])('by %s is made %s times at most', (_, error, times) => {
    expect(triesOf(error)).toBe(times);
  });

  it('is made again after about 75, 150, 300 and 600 ms: a second in all', () => {
    const waits = [1, 2, 3, 4].map((tries) =>
      retryAfterMilliseconds(throttled(), { tries, remainingMilliseconds: minute }, 0.5),
    );
    expect(waits).toStrictEqual([75, 150, 300, 600]);
  });

  it.each([1, 2, 5])('that asks for %i s is not made again before, and not long after', (seconds) => {
    for (const random of [0, 0.3, 0.999]) {
      const wait = retryAfterMilliseconds(throttled(seconds), { tries: 1, remainingMilliseconds: minute }, random) ?? 0;
      expect(wait).toBeGreaterThanOrEqual(seconds * 1000);
      expect(wait).toBeLessThanOrEqual(seconds * 1000 + 100);
    }
  });

  it('that asks for more than five seconds is left to a later pass', () => {
    expect(retryAfterMilliseconds(throttled(6), { tries: 1, remainingMilliseconds: minute }, 0)).toBeUndefined();
  });

  it('waits less than its pass has left, whatever was answered, and each time is another', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(undefined, 1, 3, 5),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: -1000, max: 10_000 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (asked, tries, remainingMilliseconds, random) => {
          const wait = retryAfterMilliseconds(throttled(asked), { tries, remainingMilliseconds }, random);
          expect(wait ?? 0).toBeLessThan(Math.max(1, remainingMilliseconds));
          expect(wait ?? 1).toBeGreaterThan(0);
        },
      ),
    );
    const spread = [0, 0.5, 0.9].map((random) =>
      retryAfterMilliseconds(throttled(1), { tries: 1, remainingMilliseconds: minute }, random),
    );
    expect(new Set(spread).size).toBe(3);
  });
});
