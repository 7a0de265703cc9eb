/** How long watches last, and how long is waited for one that bears nothing: rules of the reflector, in seconds. */

/** How long a watch is asked for. */
export interface WatchTimes {
  /** One that is trusted. The server ends it then, after a bookmark if it has seen any event of that kind (apiserver, `Cacher.dispatchEvents`). */
  readonly trustedSeconds: number;
  /** One after a break or after a watch that bore nothing: it is soon known whether it is any better. */
  readonly suspectedSeconds: number;
  /** A watch is dead when nothing came for so much longer than it was asked for. */
  readonly graceSeconds: number;
  /** For so long an established watch is read before it is asked by a list whether it tells everything. */
  readonly settlingSeconds: number;
  /** For so long a server may say that it is older than what was seen of it: one of several may be behind. */
  readonly behindSeconds: number;
}

/**
 * A watch that is blind is found out after 45 s, as a healthy one of a quiet kind has ended by then. The price is a request for each
 * kind every 42 s; a list or a look at the version tells nothing of a kind, since the version is the whole store's.
 */
export const usualTimes: WatchTimes = {
  trustedSeconds: 42,
  suspectedSeconds: 10,
  graceSeconds: 3,
  settlingSeconds: 1,
  behindSeconds: 25,
};

const longestPauseSeconds = 30;
/** While lists stand for watches. */
const longestPollSeconds = 10;
/** A watch that lasted so long was no failure, whatever it bore. */
const lastingSeconds = 5;
/** Watches in a row that bore nothing, after which lists stand for them. */
const fruitlessAtMost = 3;

/**
 * How long to wait after the n-th failure in a row: 1, 1.5, 2.25 … s and half a minute at most, with jitter. Every wait is about half of
 * what was waited before, so that whatever comes back is found after half its absence.
 */
export const pauseSeconds = (failures: number, random: number): number =>
  Math.min(longestPauseSeconds, 1.5 ** (failures - 1)) * (0.5 + 0.5 * random);

/** Whether lists must stand for watches, of which so many in a row bore neither an event nor a bookmark, and did not last to their end either. */
export const mustPoll = (fruitless: number): boolean => fruitless >= fruitlessAtMost;

/** How long to wait before the next try after the n-th failure in a row. */
export const pauseAfterFailure = (failures: number, fruitless: number, random: number): number =>
  Math.min(mustPoll(fruitless) ? longestPollSeconds : longestPauseSeconds, pauseSeconds(failures, random));

/** A list that took so long is given so many times as long before the next, or half a minute: the server has others to serve. */
const restPerList = 4;
/** A list that is no burden. */
const shortListSeconds = 1;
const longestRestSeconds = 30;

/** How long to rest after a list of so many seconds. */
export const restAfterList = (seconds: number): number =>
  seconds < shortListSeconds ? 0 : Math.min(longestRestSeconds, restPerList * seconds);

/** Whether a watch that ended so was none: its status says nothing, what it bore and how long it lasted does. */
export const isFailure = ({
  cameAnything,
  seconds,
}: {
  readonly cameAnything: boolean;
  readonly seconds: number;
}): boolean => !cameAnything && seconds < lastingSeconds;
