/** Whether a host answers from here, whatever it says. */
import { ExpectedError } from '../../lib/errors/expected.ts';
import { networkCause } from '../../lib/errors/network-cause.ts';

const deadlineMilliseconds = 5000;

/** The status that it answers with; nothing is followed, and nothing is sent but the question. @throws ExpectedError */
export const probe = async (url: string): Promise<number> => {
  try {
    const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(deadlineMilliseconds) });
    await response.body?.cancel();
    return response.status;
  } catch (cause) {
    throw new ExpectedError(networkCause(cause), { cause });
  }
};
