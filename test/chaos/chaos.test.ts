/** Short seeds of `npm run chaos`, and every seed that failed once. */
import { describe, expect, it } from 'vitest';
import { chaos, replay } from './chaos.ts';
import { adapters } from './installation/installation.ts';
import { minimise } from './minimise.ts';
import { regressions } from './regressions/all.ts';
import { showLine } from './trace.ts';

/** On a busy machine; a run that is left behind would take its time along into other tests. */
const patience = 120_000;

const shortSeeds = Array.from({ length: 10 }, (_, index) => index + 1);

describe.each(adapters)('kpackless on %s', (adapter) => {
  it.each(shortSeeds)(
    '05#24 loses nothing and repeats nothing whatever goes wrong: seed %i',
    async (seed) => {
      const { without, spoilt } = await chaos({ seed, adapter, images: 3, faults: 25, quietMinutes: 4 });
      expect(without.violations).toStrictEqual([]);
      expect(without.builds).toBeGreaterThan(3);
      expect(spoilt.injected.length).toBeGreaterThan(5);
      expect(spoilt.violations).toStrictEqual([]);
    },
    patience,
  );

  it(
    'runs the same when the faults of a seed are given as a list',
    async () => {
      const options = { seed: 11, adapter, images: 3, faults: 20, quietMinutes: 1 };
      const { spoilt } = await chaos(options);
      const { spoilt: again } = await replay(options, spoilt.injected);
      expect(again.trace.map(showLine)).toStrictEqual(spoilt.trace.map(showLine));
    },
    patience,
  );
});

describe('a seed that failed once', () => {
  it.each(regressions)(
    'holds: $was',
    async ({ options, faults }) => {
      const { without, spoilt } = await replay({ ...options, quietMinutes: 4 }, faults);
      expect([...without.violations, ...spoilt.violations]).toStrictEqual([]);
    },
    patience,
  );
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
