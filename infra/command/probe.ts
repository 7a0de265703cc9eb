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

/** The time that a host answers with, in its header `Date`. @throws ExpectedError when it does not */
export const serverDate = async (url: string): Promise<Date> => {
  let date: string | null;
  try {
    const response = await fetch(url, {
      method: 'HEAD',
      redirect: 'manual',
      signal: AbortSignal.timeout(deadlineMilliseconds),
    });
    date = response.headers.get('date');
  } catch (cause) {
    throw new ExpectedError(`${url} does not say what time it is: ${networkCause(cause)}`, { cause });
  }
  const at = Date.parse(date ?? '');
  if (Number.isNaN(at)) throw new ExpectedError(`${url} does not say what time it is`);
  return new Date(at);
};
