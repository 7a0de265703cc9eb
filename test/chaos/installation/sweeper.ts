/** The sweeper as its function runs it; a sweep that would find nothing is left out, or days of a run would be full of them. */
import type { DatabaseSync } from 'node:sqlite';
import type { DeadLetters } from '../../../lib/queue/dead-letters.ts';
import type { Sender } from '../../../lib/queue/send.ts';
import { sqsRows } from '../../../lib/reconcile/kind-table.ts';
import { type Log, sayError } from '../../../lib/reconcile/log.ts';
import { defaultPollSettings, movedPollAt } from '../../../lib/sources/polling.ts';
import { Circuits } from '../../../lib/state/circuits.ts';
import { Records } from '../../../lib/state/records.ts';
import { Redrives } from '../../../lib/state/redrives.ts';
import type { Table } from '../../../lib/state/table.ts';
import { redriveDeadLetters } from '../../../lib/sweeper/redrive.ts';
import { type SweepPorts, sweep } from '../../../lib/sweeper/sweep.ts';
import type { World } from '../world.ts';

/** What it needs. */
export interface SweeperParts {
  readonly world: World;
  readonly database: DatabaseSync;
  readonly table: Table;
  readonly sender: Sender;
  readonly deadLetters: DeadLetters;
  readonly log: Log;
}

const secondsBetweenLooks = 600;
/** As functions/sweeper has it. */
const nextAt: SweepPorts['nextAt'] = (target, now) => movedPollAt(target, defaultPollSettings, now);

/** One sweep each time it is called; by its own clock, which may be wrong. */
export const sweeperOf = ({
  world,
  database,
  table,
  sender,
  deadLetters,
  log,
}: SweeperParts): (() => Promise<void>) => {
  const records = new Records(table);
  const circuits = new Circuits(table);
  const redrives = new Redrives(table);
  const first = database.prepare('SELECT min(due_at) AS due FROM item WHERE due_shard < 16');
  let lookedAt = 0;
  return async () => {
    const now = Math.floor(Date.now() / 1000);
    const due = first.get()?.['due'];
    try {
      if (typeof due === 'number' && due <= now) {
        const { failures } = await sweep({ records, circuits, sender, nextAt }, now, () => true);
        if (failures.length > 0) throw failures[0];
      }
      if (now - lookedAt < secondsBetweenLooks) return;
      lookedAt = now;
      const queues = sqsRows.map(({ name }) => name);
      if (world.hasDeadLetters()) await redriveDeadLetters({ deadLetters, redrives, log }, queues, now);
    } catch (error) {
      log('warn', 'sweeping failed', { why: sayError(error) });
    }
  };
};
