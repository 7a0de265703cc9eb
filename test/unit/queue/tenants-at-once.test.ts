import { describe, expect, it } from 'vitest';
import { tenantsAtOnce } from '../../../lib/queue/tenants-at-once.ts';

const items = (tenant: string, count: number) => Array.from({ length: count }, (_, at) => ({ tenant, at }));
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('several things at once', () => {
  it('are all done, no more of them at once than there are places', async () => {
    let [atOnce, most] = [0, 0];
    const done = new Set<object>();
    const all = [...items('one', 30), ...items('two', 30)];
    await tenantsAtOnce(
      all,
      ({ tenant }) => tenant,
      7,
      async (item) => {
        atOnce += 1;
        most = Math.max(most, atOnce);
        await turn();
        atOnce -= 1;
        done.add(item);
      },
    );
    expect(done.size).toBe(60);
    expect(most).toBe(7);
  });

  it('of nobody are over at once', async () => {
    await expect(
      tenantsAtOnce(
        [],
        () => '',
        5,
        () => Promise.reject(new Error('nobody')),
      ),
    ).resolves.toBeUndefined();
  });

  it('of others go on while those of one hang, however many he has and whoever came first', async () => {
    const done: string[] = [];
    let release = (): void => undefined;
    const hanging = new Promise<void>((resolve) => {
      release = resolve;
    });
    const running = tenantsAtOnce(
      [...items('greedy', 90), ...items('modest', 10), ...items('other', 10)],
      ({ tenant }) => tenant,
      20,
      async ({ tenant }) => {
        if (tenant === 'greedy') await hanging;
        else await turn();
        done.push(tenant);
      },
    );
    for (let turns = 0; turns < 50; turns += 1) await turn();
    expect(done.filter((tenant) => tenant !== 'greedy')).toHaveLength(20);
    expect(done).toHaveLength(20);
    release();
    await running;
    expect(done).toHaveLength(110);
  });
});
