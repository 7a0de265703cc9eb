/** Several things at once, of which no tenant takes the last free place (lib/queue/shares.ts). */
import { tenantsInTurn } from './bulk.ts';
import { mayTakePlace } from './shares.ts';

/**
 * Does `work` for every item, on `places` at once, tenants in turn: what hangs for one, however many he has, holds up nobody else's. `work` must not
 * throw: what fails for one is his own affair.
 */
export const tenantsAtOnce = async <T>(
  items: readonly T[],
  of: (item: T) => string,
  places: number,
  work: (item: T) => Promise<void>,
): Promise<void> => {
  const waiting = [...tenantsInTurn(items, of)];
  const held = new Map<string, number>();
  let free = places;
  await new Promise<void>((resolve, reject) => {
    const run = async (item: T, tenant: string): Promise<void> => {
      try {
        await work(item);
        free += 1;
        held.set(tenant, (held.get(tenant) ?? 1) - 1);
        begin();
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    };
    const begin = (): void => {
      while (free > 0) {
        const at = waiting.findIndex((item) => mayTakePlace(held.get(of(item)) ?? 0, free));
        const [item] = at < 0 ? [] : waiting.splice(at, 1);
        if (item === undefined) break;
        const tenant = of(item);
        free -= 1;
        held.set(tenant, (held.get(tenant) ?? 0) + 1);
        void run(item, tenant);
      }
      if (waiting.length === 0 && free === places) resolve();
    };
    begin();
  });
};
