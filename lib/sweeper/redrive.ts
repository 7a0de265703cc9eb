/**
 * Brings dead letters back (DESIGN §3.6). What put them there is not known: a table, a role or a function that was out of order for an
 * hour leaves the same letters as a bug. So they come back soon the first time, and the more rarely the more often they return: an outage
 * heals by itself, and a poison object costs five receives a day.
 */
import { type Metrics, noMetrics } from '../metrics/metrics.ts';
import type { DeadLetters } from '../queue/dead-letters.ts';
import { type Log, sayError } from '../reconcile/log.ts';
import type { Redriven, Redrives } from '../state/redrives.ts';

/** What redriving needs. */
export interface RedrivePorts {
  readonly deadLetters: DeadLetters;
  readonly redrives: Pick<Redrives, 'last' | 'begin'>;
  readonly log: Log;
  readonly metrics?: Metrics;
}

const minute = 60;
const day = 24 * 60 * minute;
/** After two days without a dead letter the next ones are news. */
const forgottenSeconds = 2 * day;
/** Slow enough that work that is not poison goes first. */
const perSecond = 10;

/** The redrive that is to start at `now` (Unix seconds) when there are dead letters; undefined while it is too early after the `last`. */
export const nextRedrive = (last: Redriven | undefined, now: number): Redriven | undefined => {
  if (last === undefined || now - last.at >= forgottenSeconds) return { at: now, times: 1 };
  const wait = Math.min(day, 10 * minute * 4 ** Math.min(last.times - 1, 10));
  return now - last.at >= wait ? { at: now, times: last.times + 1 } : undefined;
};

/**
 * Looks at the dead letters of every queue; gives the names of those whose letters are on their way back. One that fails is logged. How many there
 * are is a metric while there are any (infra/alarms.yml).
 */
export const redriveDeadLetters = async (
  { deadLetters, redrives, log, metrics = noMetrics }: RedrivePorts,
  queues: readonly string[],
  now: number,
): Promise<readonly string[]> => {
  const found = new Map<string, number>();
  const redriveOne = async (queue: string): Promise<boolean> => {
    const { arn, messages } = await deadLetters.look(queue);
    if (messages === 0) return false;
    found.set(queue, messages);
    const last = await redrives.last(queue);
    const next = nextRedrive(last, now);
    // Noted first: one that then does not start comes later; one that is not noted would come every time.
    if (next === undefined || !(await redrives.begin(queue, next, last))) return false;
    await deadLetters.bringBack(arn, perSecond);
    log('warn', 'dead letters are brought back', { queue, messages, times: next.times });
    return true;
  };
  const started: string[] = [];
  for (const queue of queues)
    try {
      if (await redriveOne(queue)) started.push(queue);
    } catch (error) {
      log('warn', 'bringing dead letters back failed', { queue, why: sayError(error) });
    }
  const all = [...found.values()].reduce((sum, messages) => sum + messages, 0);
  metrics.add('DeadLetters', {}, all);
  if (all > 0) log('warn', 'there are dead letters', { queues: Object.fromEntries(found) });
  return started;
};
