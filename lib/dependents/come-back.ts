/**
 * After an outage of a cluster: closes its circuit and wakes what was parked behind it, since the watches have seen the cluster answer.
 * Without it, what was parked comes back when its due time is next swept, up to a minute later on AWS (DESIGN §3.7, §3.14).
 */
import { type Circuits, openFreshSeconds } from '../state/circuits.ts';
import { clusterScope } from '../state/keys.ts';
import { type WakeUnfinishedPorts, wakeUnfinished } from '../sweeper/wake-unfinished.ts';

/** What coming back needs. */
export interface ComeBackPorts extends WakeUnfinishedPorts {
  readonly circuits: Pick<Circuits, 'close' | 'woken'>;
  readonly clock: () => Date;
  pause(milliseconds: number): Promise<void>;
}

/** Who failed before the circuit opened backs off for less; what only looks again in minutes has missed nothing. */
const failedSeconds = 60;

/** Gives the number of wake-ups sent; none when no function had found the cluster down. @throws StateError, QueueError */
export const comeBack = async (ports: ComeBackPorts, cluster: string): Promise<number> => {
  const now = (): number => Math.floor(ports.clock().getTime() / 1000);
  const scope = clusterScope(cluster);
  const parkedUntil = await ports.circuits.close(scope, now());
  if (parkedUntil === undefined) return 0;
  // A function that still believes in the open circuit would only park it again; a second more, as they count whole ones.
  await ports.pause((openFreshSeconds + 1) * 1000);
  const at = now();
  const sent = await wakeUnfinished(ports, cluster, at, { withinSeconds: Math.max(failedSeconds, parkedUntil - at) });
  // Last: who dies before wakes them again.
  await ports.circuits.woken(scope, parkedUntil);
  return sent;
};
