/** As test/unit/queue/fairness.test.ts, with the program that is shipped beside a real API server. `npm run bench -- --only fair` measures it with thousands. */
import { describe, expect, it } from 'vitest';
import { madeAtOnce } from '../../bench/measures/fair.ts';
import { applyBuilder } from '../../bench/objects.ts';
import { median } from '../../bench/row.ts';
import { startSystem } from '../../bench/system.ts';
import { startWorld } from '../../bench/world.ts';
import { apiServerIsHere } from '../../support/api-server.ts';

describe.skipIf(!apiServerIsHere)('beside 500 Images of one namespace that are made at once', () => {
  it('the Images of others have their pods within 2 s', { timeout: 180_000 }, async () => {
    const world = await startWorld();
    try {
      const system = await startSystem(world);
      try {
        await applyBuilder(world);
        const names = Array.from({ length: 500 }, (_, at) => `many-${at}`);
        const { waits, seconds } = await madeAtOnce(world, names);
        expect(waits.length).toBeGreaterThan(2);
        // Other tests take their part of the processors, so not each of them, but half.
        expect(median(waits)).toBeLessThan(2);
        expect(Math.max(...waits)).toBeLessThan(seconds / 2);
      } finally {
        await system.stop();
      }
    } finally {
      await world.stop();
    }
  });
});
