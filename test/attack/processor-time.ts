/** How long the process is kept from others. */
import { expect, it } from 'vitest';
import { ExpectedError, PermanentError } from '../../lib/errors/expected.ts';

/** Most that anything may take, in ms of processor time: generous, as the machine may be busy. */
export const mostMilliseconds = 500;

/** Processor time of `work`, in ms. What it throws must be one of the two expected kinds, or a type that its caller names. */
export const millisecondsOf = async (work: () => unknown): Promise<number> => {
  const before = process.cpuUsage();
  try {
    await work();
  } catch (error) {
    expect(error instanceof ExpectedError || error instanceof PermanentError || error instanceof SyntaxError).toBe(
      true,
    );
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
};

/** What is done, and the sentence about it. */
export type Attack = readonly [name: string, work: () => unknown];

/** One test for each: it does not take long. */
export const areQuick = (attacks: readonly Attack[]): void => {
  it.each(attacks)('%s', async (_, work) => expect(await millisecondsOf(work)).toBeLessThan(mostMilliseconds));
};
