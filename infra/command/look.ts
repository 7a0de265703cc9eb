/** The state of an installation, as `status`, `cluster list` and others need it. */
import { type Tally, tallying } from '../../lib/fleet/tally.ts';
import type { QueueState } from '../../lib/fleet/troubles.ts';
import { queueRows, sqsRows } from '../../lib/reconcile/kind-table.ts';
import { type Call, nowOf } from './context.ts';
import type { Installation } from './installation.ts';

/** Reads the whole table. @throws StateError */
export const tallyOf = (call: Call, { scan }: Installation): Promise<Tally> =>
  call.output.during('reading the table', async (tell) => {
    const tally = tallying(nowOf(call));
    let read = 0;
    for await (const page of scan.pages()) {
      for (const item of page) tally.add(item);
      read += page.length;
      tell(`${read} items`);
    }
    return tally.result();
  });

/** What lies in every queue. @throws ExpectedError */
export const queuesOf = (call: Call, { depths, isFile }: Installation): Promise<readonly QueueState[]> =>
  call.output.during('looking into the queues', () =>
    Promise.all((isFile ? queueRows : sqsRows).map(async ({ name }) => ({ name, ...(await depths.depth(name)) }))),
  );
