/**
 * Wakes what was parked behind a cluster that is back (DESIGN §3.14): whom somebody had woken by doing something before what only looks again, at a rate
 * that leaves its API server room, and in bulk, so that what is new now goes before all of them (DESIGN §3.32).
 */
import { dueMessage } from '../queue/message.ts';
import type { Sender } from '../queue/send.ts';
import { queueOf, rowOf } from '../reconcile/kind-table.ts';
import { type ParkingLane, parkingLanes } from '../state/keys.ts';
import type { Due, Records } from '../state/records.ts';

/** What waking needs. */
export interface WakeParkedPorts {
  readonly records: Pick<Records, 'parked' | 'unpark'>;
  readonly sender: Sender;
  readonly clock: () => Date;
  pause(milliseconds: number): Promise<unknown>;
}

/** Fifty a second: at eight requests each, two thirds of what an API server on two cores answers. */
const pageSize = 25;
const pauseMilliseconds = 500;
/** As the sweeper: when nobody has answered until then, it is woken again. */
const postponeSeconds = 600;

/** Gives how many were woken, and whether all were; not when `signal` aborts before. @throws StateError, QueueError */
export const wakeParked = async (
  ports: WakeParkedPorts,
  cluster: string,
  signal?: AbortSignal,
): Promise<{ readonly woken: number; readonly areAll: boolean }> => {
  const { records, sender, clock } = ports;
  const occasion = `back@${clock().getTime()}`;
  let woken = 0;

  const wakePage = async (lane: ParkingLane, dues: readonly Due[]): Promise<void> => {
    const known = dues.filter(({ target }) => rowOf(target.kind) !== undefined);
    for (const [queue, group] of Map.groupBy(known, ({ target }) => queueOf(target.kind)))
      await sender.send(
        queue,
        group.map(({ target }) => ({ ...dueMessage(target, occasion), bulk: true })),
      );
    const until = Math.floor(clock().getTime() / 1000) + postponeSeconds;
    // Behind the sending: dying in between wakes them again. What no row knows goes back among due times too.
    await Promise.all(dues.map((due) => records.unpark(due, lane, until)));
    woken += known.length;
  };

  for (const lane of parkingLanes) {
    let last: Due | undefined;
    for (;;) {
      const page = await records.parked(cluster, lane, pageSize, last);
      if (page.dues.length > 0) {
        if (signal?.aborted === true) return { woken, areAll: false };
        if (woken > 0) await ports.pause(pauseMilliseconds);
        await wakePage(lane, page.dues);
      }
      if (page.isLast) break;
      last = page.last;
    }
  }
  return { woken, areAll: true };
};
