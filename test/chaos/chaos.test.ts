/** Every seed of `npm run chaos` that failed once; seeds themselves run by that command (docs/reliability.md, "What is open"). */
import { describe, expect, it } from 'vitest';
import { replay } from './chaos.ts';
import { minimise } from './minimise.ts';
import { regressions } from './regressions/all.ts';

describe('a seed that failed once', () => {
  it.each(regressions)('holds: $was', async ({ options, faults }) => {
    const { without, spoilt } = await replay({ ...options, quietMinutes: 4 }, faults);
    expect([...without.violations, ...spoilt.violations]).toStrictEqual([]);
  });
});

describe('a list of faults that fails', () => {
  it('is made as short as it can be', async () => {
    const fails = (list: readonly number[]) => Promise.resolve(list.includes(3) && list.includes(17));
    expect(
      await minimise(
        Array.from({ length: 40 }, (_, index) => index),
        fails,
      ),
    ).toStrictEqual([3, 17]);
  });
});
