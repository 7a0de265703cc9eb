/**
 * After an outage of a cluster, whatever it was: closes its circuit and wakes what was parked behind it, and what failed by its answers and
 * backs off by itself, since the cluster was seen to answer (DESIGN §3.7, §3.14). What there is no time for, the due time of the circuit goes on with.
 */
import { type Circuits, openFreshSeconds } from '../state/circuits.ts';
import { clusterScope } from '../state/keys.ts';
import type { Records } from '../state/records.ts';
import { type WakeUnfinishedPorts, wakeUnfinished } from '../sweeper/wake-unfinished.ts';
import { type WakeParkedPorts, wakeParked } from './wake-parked.ts';

/** What coming back needs. */
export interface ComeBackPorts extends WakeUnfinishedPorts, WakeParkedPorts {
  readonly records: Pick<Records, 'due' | 'parked' | 'read' | 'unpark'>;
  readonly circuits: Pick<Circuits, 'allWoken' | 'backedOffWoken' | 'backingOffUntil' | 'close' | 'woken'>;
  readonly clock: () => Date;
  pause(milliseconds: number): Promise<void>;
}

/** Who failed before the circuit opened backs off for less; what only looks again in minutes has missed nothing. */
const failedSeconds = 60;

/** Gives the number of wake-ups sent, and whether all were; when nobody is parked and no function had found the cluster down, none. @throws StateError, QueueError */
export const comeBack = async (
  ports: ComeBackPorts,
  cluster: string,
  signal?: AbortSignal,
): Promise<{ readonly woken: number; readonly areAll: boolean }> => {
  const { circuits, records } = ports;
  const now = (): number => Math.floor(ports.clock().getTime() / 1000);
  const scope = clusterScope(cluster);
  const parkedUntil = await circuits.close(scope, now());
  const backingOffUntil = await circuits.backingOffUntil(scope, now());
  const hasFailed = parkedUntil !== undefined || backingOffUntil !== undefined;
  // A function that still believes in the open circuit would only park it again; a second more, as they count whole ones.
  if (hasFailed) await ports.pause((openFreshSeconds + 1) * 1000);
  const at = now();
  const soon = at + failedSeconds;
  const failed = hasFailed
    ? await wakeUnfinished(ports, cluster, at, {
        withinSeconds: Math.max(soon, backingOffUntil ?? at) - at,
        // Later than that, who failed is told from who waits for a child by the record alone.
        isMeant: async ({ target, dueAt }) => dueAt <= soon || (await records.read(target)).attempts > 0,
      })
    : 0;
  // Last: who dies before wakes them again.
  if (parkedUntil !== undefined) await circuits.woken(scope, parkedUntil);
  if (backingOffUntil !== undefined) await circuits.backedOffWoken(scope, backingOffUntil);
  const parked = await wakeParked(ports, cluster, signal);
  if (parked.areAll) await circuits.allWoken(scope, now());
  return { woken: failed + parked.woken, areAll: parked.areAll };
};
