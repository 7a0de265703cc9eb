/** A seed, spoilt: the run without faults first, then the one with them. */
import { diceOf } from './dice.ts';
import { chanceFaults, type Fault, listedFaults } from './faults.ts';
import type { Adapter } from './installation/installation.ts';
import { type RunOptions, type RunReport, run } from './run.ts';
import { type Action, actionsOf } from './workload.ts';

/** What is asked for. */
export interface ChaosOptions {
  readonly seed: number;
  readonly adapter: Adapter;
  readonly images: number;
  readonly faults: number;
  /** What users do; by chance without. */
  readonly actions?: readonly Action[] | undefined;
  /** Goes on for a day once all is quiet. */
  readonly day?: boolean | undefined;
  /** How long is looked on after all is as wanted, in each run. */
  readonly quietMinutes?: number | undefined;
  /** Names of calls that the trace tells of though nothing is wrong with them. */
  readonly told?: RegExp | undefined;
  readonly progress?: RunOptions['progress'];
}

/** What came of it. */
export interface ChaosReport {
  readonly options: Pick<ChaosOptions, 'seed' | 'adapter' | 'images' | 'faults'>;
  readonly without: RunReport;
  readonly spoilt: RunReport;
}

/** So many faults come to one action: some forty calls are made for each. */
const faultsForAnAction = 4;
const fewestActions = 12;

/** The actions of a seed: more, the more is to go wrong. */
const plannedActions = ({ seed, images, faults, actions }: ChaosOptions): readonly Action[] =>
  actions ?? actionsOf(diceOf(seed), images, Math.max(fewestActions, Math.ceil(faults / faultsForAnAction)));

/** Faults make calls, and what is bound to a kind of call is not possible for each: so many more are dealt than needed. */
const spare = 2;

/** Both runs of a seed. */
export const chaos = async (options: ChaosOptions): Promise<ChaosReport> => {
  const { seed, adapter, images, faults, day = false, quietMinutes, told, progress } = options;
  const actions = plannedActions(options);
  const base = { seed, adapter, images, actions, quietMinutes, progress };
  const without = await run({ ...base, faults: listedFaults([]) });
  const share = Math.min(0.5, (faults / Math.max(1, without.activeCalls)) * spare);
  const endMs = Math.max(...actions.map(({ at }) => at));
  const source = chanceFaults({ dice: diceOf(seed), faults, share, endMs });
  const spoilt = await run({ ...base, faults: source, wanted: without.state, day, told });
  return { options: { seed, adapter, images, faults }, without, spoilt };
};

/** The run of a seed with these faults and no others, against the one without any. */
export const runListed = (
  options: ChaosOptions,
  without: Pick<RunReport, 'state'>,
  listed: readonly Fault[],
): Promise<RunReport> => {
  const { seed, adapter, images, day = false, quietMinutes, told } = options;
  const actions = plannedActions(options);
  return run({
    seed,
    adapter,
    images,
    actions,
    faults: listedFaults(listed),
    wanted: without.state,
    day,
    quietMinutes,
    told,
  });
};

/** Both runs of a seed, the second with these faults and no others. */
export const replay = async (options: ChaosOptions, listed: readonly Fault[]): Promise<ChaosReport> => {
  const { seed, adapter, images, faults, quietMinutes } = options;
  const actions = plannedActions(options);
  const without = await run({ seed, adapter, images, actions, quietMinutes, faults: listedFaults([]) });
  return { options: { seed, adapter, images, faults }, without, spoilt: await runListed(options, without, listed) };
};
