/** From a push to the shared polls it concerns (DESIGN §3.17, §5). */
import { PermanentError } from '../errors/expected.ts';
import { placeDigest, repositoryPlace } from '../git/place.ts';
import { type GitUrl, parseGitUrl } from '../git/url.ts';
import { type WakePlacePorts, wakePlace } from '../sources/wake-place.ts';
import type { Pushed } from './pushed.ts';
import { covers, type HookScope } from './secrets.ts';

const readable = (text: string): readonly GitUrl[] => {
  try {
    return [parseGitUrl(text)];
  } catch (error) {
    if (error instanceof PermanentError) return [];
    throw error;
  }
};

/** Whether all of the repositories that a push names were in the power of its sender. */
export type Woken = 'all' | 'some';

/**
 * Wakes every poll of the repositories that follows one of the refs. Those that no scope covers are passed over: a secret speaks for what
 * it was given for. `occasion` is the same for the same push. @throws StateError, QueueError
 */
export const wakePolls = async (
  ports: WakePlacePorts,
  { urls, refs }: Pushed,
  { scopes, occasion }: { readonly scopes: readonly HookScope[]; readonly occasion: string },
): Promise<Woken> => {
  const named = urls.flatMap(readable);
  const covered = named.filter((url) => scopes.some((scope) => covers(scope, repositoryPlace(url))));
  const moved = refs === undefined ? undefined : new Set(refs);
  for (const place of new Set(covered.map(placeDigest))) await wakePlace(ports, { place, refs: moved, occasion });
  return covered.length === named.length ? 'all' : 'some';
};
