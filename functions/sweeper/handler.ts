/** Once a minute: wakes what is due. */
import type { Context } from 'aws-lambda';
import { sweep } from '../../lib/sweeper/sweep.ts';
import { ports } from '../ports.ts';

const { records, sender, clock, log } = ports();
/** Enough to finish a page that has begun. */
const reserveMilliseconds = 5000;

export const handler = async (
  _event: unknown,
  context: Pick<Context, 'getRemainingTimeInMillis'>,
): Promise<{ sent: number }> => {
  const now = Math.floor(clock().getTime() / 1000);
  const sent = await sweep({ records, sender }, now, () => context.getRemainingTimeInMillis() > reserveMilliseconds);
  if (sent > 0) log('info', 'woke what was due', { sent });
  return { sent };
};
