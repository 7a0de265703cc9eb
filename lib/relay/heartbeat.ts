/** What a relay's heartbeat tells of it: for `status`, the sweeper's metric and people. Pure. */
import type { Beat } from '../state/watch-history.ts';

/** A relay that has said nothing for so long is silent: it says something each minute. */
export const silentAfterSeconds = 180;
/** What waits longer than that in a relay is worth a word. */
const behindAfterSeconds = 60;

/** How a relay is. `unseen`: it has said nothing since its cluster was registered. */
export type RelayState = 'behind' | 'silent' | 'unseen' | 'well';

/** How the relay is that last said `beat`, at `now` (Unix seconds). */
export const relayState = (beat: Beat | undefined, now: number): RelayState => {
  if (beat === undefined) return 'unseen';
  if (now - beat.beatAt > silentAfterSeconds) return 'silent';
  return beat.lagSeconds > behindAfterSeconds ? 'behind' : 'well';
};

const ago = (seconds: number): string => (seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`);

/** The same in a line for people: how it is, and what to do. */
export const sayRelay = (beat: Beat | undefined, now: number): string => {
  switch (relayState(beat, now)) {
    case 'unseen':
      return 'its relay has never said anything: deploy it, and look at its log (docs/aws.md, "Its relay")';
    case 'silent':
      return `its relay has said nothing for ${ago(now - (beat?.beatAt ?? now))}: changes in the cluster are seen when due times come, up to a day later; look whether its pod runs`;
    case 'behind': {
      const { lagSeconds = 0, notWatched = [] } = beat ?? {};
      const kinds = notWatched.length === 0 ? '' : `; it does not watch ${notWatched.toSorted().join(', ')}`;
      return `its relay is ${ago(lagSeconds)} behind${kinds}: look at its log`;
    }
    case 'well':
      return `its relay was well ${ago(now - (beat?.beatAt ?? now))} ago`;
  }
};
