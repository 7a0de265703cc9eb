import { setTimeout as sleep } from 'node:timers/promises';

import { ExpectedError } from '../../../lib/errors/expected.ts';

export interface WaitOptions {
  /** For the message: "waiting for <what> took longer than …". */
  readonly what: string;
  /** Milliseconds until it is given up. */
  readonly timeout: number;
  /** Milliseconds between two looks; 100 when absent. */
  readonly every?: number;
  /** Throws when waiting on is pointless (a program has ended). */
  readonly check?: () => void;
}

/**
 * Looks again and again until `probe` answers true; a probe that throws counts as "not yet".
 * @throws ExpectedError when the time is over, with what the last probe threw; whatever `check` throws.
 */
export const waitUntil = async (probe: () => boolean | Promise<boolean>, options: WaitOptions): Promise<void> => {
  const deadline = performance.now() + options.timeout;
  let last: unknown;
  while (performance.now() < deadline) {
    options.check?.();
    try {
      if (await probe()) return;
      last = undefined;
    } catch (error) {
      last = error;
    }
    await sleep(options.every ?? 100);
  }
  const because = last instanceof Error ? `: ${last.message}` : '';
  throw new ExpectedError(`waiting for ${options.what} took longer than ${options.timeout / 1000} s${because}`, {
    cause: last,
  });
};
