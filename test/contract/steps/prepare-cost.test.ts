/** What the first step costs. `npm run bench -- --only prepare` measures it; this only notices when it gets out of hand. */
import { describe, expect, it } from 'vitest';
import { prepareCost } from '../../bench/measures/prepare.ts';

describe('the step prepare on a source of 3,500 files', () => {
  it('takes little longer than git alone, and less than 100 MB', { timeout: 120_000 }, async () => {
    const { gitMilliseconds, prepareMilliseconds, megabytes } = await prepareCost(2);
    // The goal is 1.3 and is measured by the bench; here other tests take their part of the processors.
    expect(prepareMilliseconds).toBeLessThan(2 * gitMilliseconds + 150);
    expect(megabytes).toBeGreaterThan(20);
    expect(megabytes).toBeLessThan(100);
  });
});
