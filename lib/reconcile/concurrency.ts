/**
 * How many invocations each queue's function may have at once, of what the account allows in all. A mapping may not have fewer than two, so the
 * 13 of them have 26 at least: an account with 10 concurrent executions throttles some of them (docs/aws.md, "Quotas of the account").
 */
import { maxReceiveCount, sqsRows } from './kind-table.ts';

/** What an account has unless it was raised, and what the kind table is written for. */
export const usualAccount = 1000;
/** Fewest that SQS's mappings take (`ScalingConfig.MaximumConcurrency`). */
export const leastEach = 2;
/** What is ours of the account's: the rest is for the sweeper, hooks and other functions. */
const ourShare = 0.8;

/**
 * The most of each row by its name. As the kind table has it where that fits into four fifths of `account`; else two each, and what is then
 * left in proportion.
 */
export const concurrencies = (account: number): ReadonlyMap<string, number> => {
  const wanted = sqsRows.reduce((sum, { concurrency }) => sum + concurrency, 0);
  const ours = Math.floor(account * ourShare);
  if (wanted <= ours) return new Map(sqsRows.map(({ name, concurrency }) => [name, concurrency]));
  const least = leastEach * sqsRows.length;
  const share = Math.max(0, ours - least) / (wanted - least);
  return new Map(
    sqsRows.map(({ name, concurrency }) => [name, leastEach + Math.floor((concurrency - leastEach) * share)]),
  );
};

/** Receives of a message before it is dead where the functions throttle each other: those that throttling takes must not be mistaken for failures. */
const receivesWhereThrottled = 100;

/**
 * Receives before a message is dead. A receive is lost when an invocation finds no room until its messages are visible again, a minute and a half at least.
 * Where all that mappings may have fits into the account, that takes somebody else's functions; where it does not, our own suffice, and poison is
 * tried for a day before it is given up.
 */
export const maxReceivesIn = (account: number): number =>
  leastEach * sqsRows.length <= Math.floor(account * ourShare) ? maxReceiveCount : receivesWhereThrottled;
