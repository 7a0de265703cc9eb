/**
 * After an outage of a cluster, whatever it was: closes its circuit and wakes what was parked behind it, and what failed by its answers and
 * backs off by itself, since the watches have seen the cluster answer. Without it, that comes back when its due time is next swept: minutes
 * later, after refusals (DESIGN §3.7, §3.14).
 */
import { type Circuits, openFreshSeconds } from '../state/circuits.ts';
import { clusterScope } from '../state/keys.ts';
import type { Records } from '../state/records.ts';
import { type WakeUnfinishedPorts, wakeUnfinished } from '../sweeper/wake-unfinished.ts';

/** What coming back needs. */
export interface ComeBackPorts extends WakeUnfinishedPorts {
  readonly records: Pick<Records, 'due' | 'read'>;
  readonly circuits: Pick<Circuits, 'close' | 'woken' | 'backingOffUntil' | 'backedOffWoken'>;
  readonly clock: () => Date;
  pause(milliseconds: number): Promise<void>;
}

/** Who failed before the circuit opened backs off for less; what only looks again in minutes has missed nothing. */
const failedSeconds = 60;

/** Gives the number of wake-ups sent; none when no function had found the cluster down. @throws StateError, QueueError */
export const comeBack = async (ports: ComeBackPorts, cluster: string): Promise<number> => {
  const { circuits, records } = ports;
  const now = (): number => Math.floor(ports.clock().getTime() / 1000);
  const scope = clusterScope(cluster);
  const parkedUntil = await circuits.close(scope, now());
  const backingOffUntil = await circuits.backingOffUntil(scope, now());
  if (parkedUntil === undefined && backingOffUntil === undefined) return 0;
  // A function that still believes in the open circuit would only park it again; a second more, as they count whole ones.
  await ports.pause((openFreshSeconds + 1) * 1000);
  const at = now();
  const soon = at + Math.max(failedSeconds, (parkedUntil ?? at) - at);
  const sent = await wakeUnfinished(ports, cluster, at, {
    withinSeconds: Math.max(soon, backingOffUntil ?? at) - at,
    // Later than that, who failed is told from who waits for a child by the record alone.
    isMeant: async ({ target, dueAt }) => dueAt <= soon || (await records.read(target)).attempts > 0,
  });
  // Last: who dies before wakes them again.
  if (parkedUntil !== undefined) await circuits.woken(scope, parkedUntil);
  if (backingOffUntil !== undefined) await circuits.backedOffWoken(scope, backingOffUntil);
  return sent;
};
