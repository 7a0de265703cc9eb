/** Waiting for something that is looked at now and then. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Calls `done` each `everyMs` until it gives something; throws with `what` when that takes more than `seconds`. */
export const until = async <T>(
  what: string,
  done: () => T | undefined | Promise<T | undefined>,
  { seconds, everyMs }: { readonly seconds: number; readonly everyMs: number },
): Promise<T> => {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    const result = await done();
    if (result !== undefined) return result;
    if (performance.now() > deadline) throw new Error(`${what} did not happen within ${seconds} s`);
    await sleep(everyMs);
  }
};

/** Runs `each` over `items`, at most `limit` at once. */
export const inLanes = async <T>(
  items: readonly T[],
  limit: number,
  each: (item: T) => Promise<unknown>,
): Promise<void> => {
  const waiting = items.values();
  await Promise.all(
    Array.from({ length: limit }, async () => {
      for (const item of waiting) await each(item);
    }),
  );
};
