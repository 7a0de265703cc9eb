import { createHash } from 'node:crypto';

/**
 * Names the cache folder of a tools module: any change of what is compiled or how gives a new one, so a stale program is never run.
 * The Go release is left out on purpose: the pinned sources decide what the program does.
 */
export const cacheKey = (goMod: string, goSum: string, flags: readonly string[], platform: string): string => {
  const hash = createHash('sha256');
  for (const part of [goMod, goSum, ...flags, platform]) hash.update(`${Buffer.byteLength(part)}:${part}`);
  return hash.digest('hex').slice(0, 16);
};
