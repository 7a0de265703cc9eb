/** What `kpackless cost` makes of counts and prices. */
import { describe, expect, it } from 'vitest';
import { batched, goals, messagesInBatch, totalOf, variableParts, workCost } from '../../../lib/cost/model.ts';
import { listPrices } from '../../../lib/cost/prices.ts';
import { commandWorld } from '../../support/command-run.ts';

const nothing = { passes: 0, invocations: 0, storeReads: 0, storeWrites: 0, dueMoves: 0, queueRequests: 0 };
const fleet = { images: 1000, buildsPerDay: 0, clusters: 1, repositories: 100, pollSeconds: 300, keptBuilds: 1 };
const million = 1_000_000;

describe('the price of work', () => {
  it.each([
    ['a read', { storeReads: 1 }, 0.125],
    ['a write', { storeWrites: 1 }, 0.625],
    ['a write that moves a due time: the item, and the index twice', { storeWrites: 1, dueMoves: 1 }, 1.875],
    ['a request to a queue', { queueRequests: 1 }, 0.5],
    ['an invocation', { invocations: 1 }, 0.2],
    ['a pass: its time, and what it logs', { passes: 1 }, 0.12 * 0.5 * 13.3334 + 0.25],
  ])('of a million of %s is that of the list', (_, more, price) => {
    expect(workCost({ ...nothing, ...more }, listPrices) * million).toBeCloseTo(price, 3);
  });

  it('of what comes together is shared but for the passes', () => {
    const work = { ...nothing, passes: 1, invocations: 1, queueRequests: 3, storeWrites: 1 };
    expect(batched(work, 10)).toEqual({ ...work, invocations: 0.1, queueRequests: 0.3 });
    expect([0, 1, 20, 1000].map(messagesInBatch)).toEqual([1, 1, 4, 10]);
  });
});

describe('the price of a fleet', () => {
  const cost = (more: object): number => totalOf(variableParts({ ...fleet, ...more }, listPrices));

  it('grows with each thing that is done, and not with what is not', () => {
    for (const more of [
      { images: 2000 },
      { buildsPerDay: 1 },
      { clusters: 2 },
      { repositories: 200 },
      { keptBuilds: 5 },
    ])
      expect(cost(more)).toBeGreaterThan(cost({}));
    expect(cost({ pollSeconds: 3600 })).toBeLessThan(cost({}));
    // Whose followers are gone is found out once a day, of those that are never polled too.
    expect(cost({ pollSeconds: 0 })).toBeLessThan(cost({ pollSeconds: 3600 }));
    expect(cost({ pollSeconds: 0 })).toBeGreaterThan(cost({ repositories: 0 }));
  });

  it('says of every goal whether it is reached', () => {
    for (const { is, most, isReached } of goals(listPrices, 300)) expect(isReached).toBe(is <= most);
    expect(goals(listPrices, 300).map(({ most }) => most)).toEqual([4, 8, 1, 1]);
  });
});

describe('kpackless cost', () => {
  it('shows parts, what is together, kpack beside it, and goals, and asks nobody', async () => {
    using world = commandWorld({ open: () => Promise.reject(new Error('nobody is asked')) });
    const args = ['--images', '10000', '--builds-per-day', '3', '--clusters', '20', '--repositories', '8000'];
    const { code, out } = await world.run('cost', ...args);
    expect(code).toBe(0);
    expect(out).toContain('Prices of 2026-11-20');
    expect(out).toMatch(/^ {2}builds +912,000 +\d+\.\d\d US\$$/m);
    expect(out).toMatch(/kpack: controller and webhook in each cluster on Fargate +425\.20 US\$/);
    expect(out).toMatch(/a million reconciles +4\.00 US\$ +\d\.\d\d US\$ +(?:NOT REACHED|reached)/);
  });

  it('says the same to programs, and the total is the sum of its parts', async () => {
    using world = commandWorld();
    const { json } = await world.run('cost', '--output', 'json');
    const { variable, fixed, total } = json as {
      variable: { cost: number }[];
      fixed: { cost: number }[];
      total: number;
    };
    expect([...variable, ...fixed].reduce((sum, { cost }) => sum + cost, 0)).toBeCloseTo(total, 6);
  });

  it('refuses what is no number', async () => {
    using world = commandWorld();
    const { code, err } = await world.run('cost', '--images', 'many');
    expect(code).toBe(2);
    expect(err).toContain('it is a number from 0');
  });
});
