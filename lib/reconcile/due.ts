/** When to look again (DESIGN §3.6, §3.7). All times are seconds. */
import type { ExpectedError } from '../errors/expected.ts';
import { isKubeError, saysClusterIsDown } from '../kube/errors.ts';
import { dueOccasion, type Message, timeOfDue } from '../queue/message.ts';
import type { Outcome } from './outcome.ts';

const minute = 60;
const unfinishedLimit = 10 * minute;
const day = 24 * 60 * minute;

/** Spreads `seconds` over 75…100%, by a number in [0, 1), so that thousands do not come at once. */
const jittered = (seconds: number, random: number): number => seconds * (0.75 + 0.25 * random);

/** After a pass that answered: its own wish, within ten minutes; or within a day, which is the resync. */
export const dueAfterOutcome = (outcome: Outcome, random: number): number =>
  outcome.done ? jittered(day, random) : Math.min(unfinishedLimit, Math.max(0, outcome.afterSeconds));

/** An API server that has just started refuses for seconds what it allows, since its port is open before its rules are read. */
export const refusalsOfAStart = 3;

/**
 * After `attempts` failed passes in a row (this one included): 1, 2, 4 … s, or 1, 2, 4 … min where waiting for people; at most ten minutes.
 * What the API server refuses is asked for thrice within seconds before people are waited for.
 */
export const dueAfterFailure = (error: ExpectedError, attempts: number, random: number): number => {
  const isRefusal = isKubeError(error, 'forbidden') || isKubeError(error, 'unauthorized');
  const mayBeAStart = isRefusal && attempts <= refusalsOfAStart;
  const first = error.pace === 'slow' && !mayBeAStart ? minute : 1;
  const inARow = isRefusal && !mayBeAStart ? attempts - refusalsOfAStart : attempts;
  const backOff = Math.min(unfinishedLimit, first * 2 ** Math.min(inARow - 1, 20));
  return Math.max(jittered(backOff, random), Math.min(unfinishedLimit, error.retryAfterSeconds ?? 0));
};

/** Longer than this a message is not kept: what comes for its object meanwhile waits behind it. */
const longestKeptSeconds = 4;

/**
 * Whether a failed pass is tried again by its own message rather than by the clock, which looks once a minute on AWS. Of a cluster that is down
 * its circuit says when to ask; who finds somebody else's object in his place waits for an event.
 */
export const comesAgain = (error: ExpectedError, waitSeconds: number): boolean =>
  waitSeconds <= longestKeptSeconds && !saysClusterIsDown(error) && !isKubeError(error, 'already-exists');

/** Passes over an object of a cluster that is not registered: together they cover two days. */
const passesUnregistered = 8;

/**
 * After `attempts` passes in a row that found the cluster not registered: 10, 20, 40 … min, and undefined when it is to be forgotten. A relay whose
 * cluster is registered later tells of everything again (lib/state/clusters.ts).
 */
export const dueAfterUnregistered = (attempts: number, random: number): number | undefined =>
  attempts < passesUnregistered ? jittered(unfinishedLimit * 2 ** (attempts - 1), random) : undefined;

/** More than that no clock is believed to be wrong. */
const longestSkew = 60 * minute;

/**
 * By how many seconds the sweeper's clock is ahead of ours, as far as `messages` show: it has woken before the time that was asked for. What it is
 * asked for next is then so much later, or it would find that due at once, over and over; so clocks that disagree cost lateness and no passes.
 */
const skewSeconds = (now: number, messages: readonly Pick<Message, 'occasion'>[]): number =>
  Math.min(longestSkew, Math.max(0, ...messages.map(({ occasion }) => (timeOfDue(occasion) ?? now) - now)));

/**
 * The due time, in whole Unix seconds after `now`, for a pass that was woken by `messages`. It differs from every due time that
 * was sent: SQS swallows a repeated deduplication id for five minutes, and the timer with it.
 */
export const freshDueAt = (
  now: number,
  waitSeconds: number,
  messages: readonly Pick<Message, 'occasion'>[],
): number => {
  const sent = new Set(messages.map(({ occasion }) => occasion));
  let dueAt = now + skewSeconds(now, messages) + Math.max(1, Math.ceil(waitSeconds));
  while (sent.has(dueOccasion(dueAt))) dueAt += 1;
  return dueAt;
};
