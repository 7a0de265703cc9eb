/** Once a minute: wakes what is due, and says which relays are silent; now and then brings dead letters back. */
import { sqsRows } from '../../lib/reconcile/kind-table.ts';
import { sayError } from '../../lib/reconcile/log.ts';
import { movedPollAt } from '../../lib/sources/polling.ts';
import { Redrives } from '../../lib/state/redrives.ts';
import { redriveDeadLetters } from '../../lib/sweeper/redrive.ts';
import { tellSilentRelays } from '../../lib/sweeper/silent-relays.ts';
import { type SweepPorts, sweep } from '../../lib/sweeper/sweep.ts';
import { type Invocation, within } from '../invocation.ts';
import { ports } from '../ports.ts';

const { records, circuits, clusters, history, sender, clock, log, metrics, deadLetters, table, settings } = ports;
const pollSettings = { intervalSeconds: settings.KPACKLESS_GIT_POLL_SECONDS };
const nextAt: SweepPorts['nextAt'] = (target, now) => movedPollAt(target, pollSettings, now);
const redrivePorts = { deadLetters, redrives: new Redrives(table), log, metrics };
/** Enough to finish a page that has begun. */
const reserveMilliseconds = 5000;
const secondsBetweenLooks = 600;
/** When this process last looked at the dead letters; a new one looks at once. */
let lookedAt = 0;
const secondsBetweenRelays = 50;
let relaysLookedAt = 0;
/** Lines about what a sweep left. */
const mostSaid = 20;

const sweepOnce = async (context: Invocation): Promise<{ sent: number }> => {
  const now = Math.floor(clock().getTime() / 1000);
  const hasTime = (): boolean => context.getRemainingTimeInMillis() > reserveMilliseconds;
  const { sent, failures, isInVain } = await sweep({ records, circuits, sender, nextAt }, now, hasTime);
  if (sent > 0) log('info', 'woke what was due', { sent });
  for (const why of failures.slice(0, mostSaid))
    log('warn', 'part of what is due was left to the next sweep', { why: sayError(why) });
  if (now - relaysLookedAt >= secondsBetweenRelays && hasTime()) {
    relaysLookedAt = now;
    await tellSilentRelays({ clusters, history, log, metrics }, now);
  }
  // Only behind a sweep that did something: while the table is away, what comes back would only die again.
  if (!isInVain && now - lookedAt >= secondsBetweenLooks && hasTime()) {
    lookedAt = now;
    await redriveDeadLetters(
      redrivePorts,
      sqsRows.map(({ name }) => name),
      now,
    );
  }
  // Last, as nothing is to be left undone for it: the run counts as failed, which after three of them is an alarm (infra/alarms.yml).
  if (failures.length > 0) throw failures[0];
  return { sent };
};

export const handler = (_event: unknown, context: Invocation): Promise<{ sent: number }> =>
  within(context, metrics, () => sweepOnce(context));
