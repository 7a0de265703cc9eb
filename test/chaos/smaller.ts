/** What of a failing seed's faults makes it fail. */
import { type ChaosOptions, type ChaosReport, runListed } from './chaos.ts';
import type { Fault } from './faults.ts';
import { minimise } from './minimise.ts';
import type { RunReport } from './run.ts';
import { machineMilliseconds } from './virtual-time.ts';

/** The part of a violation that is the same in runs that differ in times and numbers. */
const kindOf = (violation: string): string => violation.replaceAll(/[\d.]+/g, '').slice(0, 40);

/** As few faults as could be found in the time, and the run with them alone. */
export interface Smaller {
  readonly faults: readonly Fault[];
  readonly run: RunReport;
  readonly runs: number;
}

/** Tries for so many seconds of the machine at most. */
export const smaller = async (
  options: ChaosOptions,
  { without, spoilt }: ChaosReport,
  seconds: number,
): Promise<Smaller> => {
  const wanted = new Set(spoilt.violations.map(kindOf));
  const until = machineMilliseconds() + seconds * 1000;
  let runs = 0;
  let best = spoilt;
  const fails = async (list: readonly Fault[]): Promise<boolean> => {
    runs += 1;
    const run = await runListed(options, without, list);
    if (!run.violations.some((violation) => wanted.has(kindOf(violation)))) return false;
    best = run;
    return true;
  };
  const faults = await minimise(spoilt.injected, fails, () => machineMilliseconds() < until);
  return { faults, run: best, runs };
};
