/**
 * Reads that lag on purpose (DESIGN §3.19): writes reach a second store only after a while, and reads that do not ask for
 * consistency are served from there. What our code gets wrong with stale reads on AWS, it then gets wrong in the tests.
 */

import { type DynaliteStore, internalFailure } from './dynalite-store.ts';
import type { Answer, ProtocolRequest } from './in-process.ts';

const writes = new Set(['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem']);
const tableChanges = new Set(['CreateTable', 'DeleteTable', 'UpdateTable']);
const reads = new Set(['GetItem', 'Query', 'Scan', 'BatchGetItem']);

const actionOf = ({ headers }: ProtocolRequest): string => (headers['x-amz-target'] ?? '').split('.')[1] ?? '';

/** `ConsistentRead` is a member of the request or, for BatchGetItem, of its tables; nowhere else does the name occur as a key set to true. */
const isConsistent = ({ body }: ProtocolRequest): boolean => /"ConsistentRead"\s*:\s*true/.test(body);

/**
 * Answers like `current`, except that reads without ConsistentRead, and thus all reads of an index, see the state of `lagMs` ago.
 * Only writes that succeeded are repeated on `behind`, one after another in the order they succeeded, so it passes through the
 * same states and a repeated condition holds again.
 */
export const laggingReads = (current: DynaliteStore, behind: DynaliteStore, lagMs: number): DynaliteStore => {
  let lastRepeat: Promise<void> = Promise.resolve();
  let difference: string | undefined;
  const timers = new Set<NodeJS.Timeout>();

  const wait = async (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(() => {
        timers.delete(timer);
        resolve();
      }, ms);
      timers.add(timer);
    });

  const repeat = async (request: ProtocolRequest, afterMs: number, before: Promise<void>): Promise<void> => {
    await Promise.all([before, wait(afterMs)]);
    const { status, body } = await behind.answer(request);
    if (status !== 200) difference ??= `the lagging copy refused what the current one accepted: ${body.slice(0, 300)}`;
  };

  const answer: Answer = async (request) => {
    const action = actionOf(request);
    if (reads.has(action) && !isConsistent(request)) {
      return difference === undefined ? behind.answer(request) : internalFailure(difference);
    }
    const response = await current.answer(request);
    if (response.status !== 200) return response;
    if (writes.has(action)) lastRepeat = repeat(request, lagMs, lastRepeat);
    if (tableChanges.has(action)) await (lastRepeat = repeat(request, 0, lastRepeat));
    return response;
  };

  return {
    answer,
    close: async () => {
      for (const timer of timers) clearTimeout(timer);
      await Promise.all([current.close(), behind.close()]);
    },
  };
};
