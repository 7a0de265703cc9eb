/**
 * Memory of a busy time, given back when it is over. V8 collects when something more is wanted, and at rest nothing is: what two hundred Images left
 * behind would stay until the next of them.
 */

/** Milliseconds between two looks. */
const lookMilliseconds = 1000;
/** Processor milliseconds of work that are worth a collection, which takes some forty. */
const worthMilliseconds = 1000;
/** Of the time between two looks, what a process that rests takes at most: sweeps, bookmarks, probes. */
const restShare = 0.1;

/** Whether what was done since the last collection is much, and nothing is being done now. Milliseconds of processor time. */
export const isRestAfterWork = (sinceCollection: number, sinceLook: number, elapsed: number): boolean =>
  sinceCollection >= worthMilliseconds && sinceLook <= restShare * elapsed;

const processorMilliseconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** Looks each second, until the returned function is called. Needs `--expose-gc` (node.ts); does nothing without. */
export const giveBackAtRest = (): (() => void) => {
  const { gc } = globalThis;
  if (gc === undefined) return () => undefined;
  /** The first rest is that after the start, which leaves much behind. */
  let collectedAt = Number.NEGATIVE_INFINITY;
  let last = { processor: processorMilliseconds(), at: performance.now() };
  const timer = setInterval(() => {
    const now = { processor: processorMilliseconds(), at: performance.now() };
    if (isRestAfterWork(now.processor - collectedAt, now.processor - last.processor, now.at - last.at)) {
      gc({ type: 'major', execution: 'sync', flavor: 'last-resort' });
      collectedAt = processorMilliseconds();
    }
    last = { processor: processorMilliseconds(), at: performance.now() };
  }, lookMilliseconds);
  timer.unref();
  return () => clearInterval(timer);
};
