/** What each queue's function may have of the account's concurrent executions. */
import { describe, expect, it } from 'vitest';
import { concurrencies, leastEach, maxReceivesIn } from '../../../lib/reconcile/concurrency.ts';
import { sqsRows } from '../../../lib/reconcile/kind-table.ts';

const sum = (account: number): number => [...concurrencies(account).values()].reduce((all, most) => all + most, 0);

describe('of an account', () => {
  it('with a thousand each function has what the kind table says', () => {
    expect([...concurrencies(1000)]).toEqual(sqsRows.map(({ name, concurrency }) => [name, concurrency]));
    expect(sum(1000)).toBe(280);
  });

  it.each([33, 50, 51, 100, 200, 350, 1000, 10_000])('with %i, a fifth is left to others', (account) => {
    expect(sum(account)).toBeLessThanOrEqual(account * 0.8);
  });

  it('with fifty, Images and Builds have more than what a cluster has few of', () => {
    const given = concurrencies(50);
    expect(given.get('image')).toBeGreaterThan(given.get('cluster-store') ?? 0);
  });

  it.each([10, 20])('with %i each has the two that a mapping cannot do without', (account) => {
    expect([...concurrencies(account).values()]).toEqual(sqsRows.map(() => leastEach));
  });

  it('never has one fewer when the account has more', () => {
    for (let account = 10; account < 1200; account += 7)
      for (const [name, most] of concurrencies(account))
        expect(concurrencies(account + 7).get(name)).toBeGreaterThanOrEqual(most);
  });

  it('counts five receives as poison where everything fits, and many where functions throttle each other', () => {
    expect([10, 32, 33, 50, 1000].map(maxReceivesIn)).toEqual([100, 100, 5, 5, 5]);
  });
});
