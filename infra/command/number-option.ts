/** Numbers as options of the command say them. */
import { InvalidArgumentError } from 'commander';

/** Counts have no more digits. */
const mostCount = 1_000_000_000;

/** A number from 0, which may have a fraction. @throws InvalidArgumentError */
export const numberIn = (text: string): number => {
  const count = Number(text);
  if (!/^\d+(?:\.\d+)?$/.test(text) || count > mostCount) throw new InvalidArgumentError('it is a number from 0.');
  return count;
};

/** A whole number from 1 to `most`. @throws InvalidArgumentError */
export const countUpTo =
  (most: number) =>
  (text: string): number => {
    const count = Number(text);
    if (!/^\d+$/.test(text) || count < 1 || count > most)
      throw new InvalidArgumentError(`it is a whole number from 1 to ${most}.`);
    return count;
  };
