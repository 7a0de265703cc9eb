/**
 * What may go wrong, as data: a list of faults is all that tells a run from the one without. A fault is bound to a call by the call's name and
 * number, or to an instant; so a list can be shortened, printed and kept as a test.
 */
import type { Dice } from './dice.ts';

/** What is spoken to. */
export const ports = ['api', 'table', 'queue', 'registry', 'git'] as const;
export type Port = (typeof ports)[number];

/** What can happen to one call. Only what reads may be answered with what was true before. */
export const callFaults = [
  /** Not carried out, and said so. */
  'refused',
  /** Carried out, and the answer lost. */
  'unanswered',
  /** Its process dies before it is carried out, and after. */
  'death before',
  'death after',
  /** Carried out late: seconds, or after its deadline. */
  'late',
  /** A bug: what no code expects. */
  'bug',
  /** Messages that are delivered once more, minutes later. */
  'repeated',
] as const;
export type CallFault = (typeof callFaults)[number];

/** What can happen at an instant, to whom it may concern, for some seconds. */
export const worldFaults = [
  /** A process is ended. */
  'kill',
  /** A process's clock jumps. */
  'clock jump',
  'api away',
  'api throttles',
  'api refuses',
  'table away',
  'queue away',
  'registry away',
  'git away',
  /** Watches are closed; the positions they would go on from are forgotten; they stay open without a word. */
  'watches closed',
  'watches expired',
  'watches silent',
  /** The watch cache stays behind the store. */
  'cache behind',
  /** The API server's store is restored to what it was seconds ago. */
  'time travel',
  /** A second relay runs beside the first. */
  'second relay',
  /** A function fails at each invocation: dead letters. */
  'function broken',
] as const;
export type WorldFault = (typeof worldFaults)[number];

/** One fault. `at` is milliseconds since the run began. */
export type Fault =
  | { readonly fault: CallFault; readonly call: string; readonly seconds?: number }
  | { readonly fault: WorldFault; readonly at: number; readonly seconds: number };

export const isOfWorld = (fault: Fault): fault is Extract<Fault, { readonly at: number }> => 'at' in fault;

/** A call that is about to be made. */
export interface Call {
  readonly port: Port;
  /** Whose it is and what it does, without what chance made: `image table.update object#…`. */
  readonly name: string;
  readonly isWrite: boolean;
  /** The world's own, which has no process that could die. */
  readonly isOfWorld: boolean;
  readonly isSend: boolean;
  /** How long its process has lived, in milliseconds. */
  readonly aliveMs: number;
  /** Carried out at once: it cannot be late. */
  readonly isSync: boolean;
}

const fits = (fault: CallFault, { isOfWorld: ofWorld, isSend, port, isSync, isWrite }: Call): boolean => {
  switch (fault) {
    case 'death before':
    case 'death after':
      return !ofWorld;
    case 'repeated':
      return isSend;
    case 'bug':
      return !ofWorld && port !== 'queue';
    case 'late':
      return !isSync && port !== 'table';
    case 'unanswered':
      return isWrite && !isSync;
    case 'refused':
      return true;
  }
};

/** Where faults come from. */
export interface FaultSource {
  /** What happens to this call. */
  at(call: Call): Extract<Fault, { readonly call: string }> | undefined;
  /** What happens by itself. */
  readonly ofWorld: readonly Extract<Fault, { readonly at: number }>[];
}

/** Exactly these. */
export const listedFaults = (faults: readonly Fault[]): FaultSource => {
  const calls = new Map(faults.flatMap((fault) => (isOfWorld(fault) ? [] : [[fault.call, fault] as const])));
  return { at: ({ name }) => calls.get(name), ofWorld: faults.filter(isOfWorld) };
};

/** A share of calls is easy to survive; of these there are fewer. */
const weights: Readonly<Record<CallFault, number>> = {
  refused: 6,
  unanswered: 6,
  'death before': 3,
  'death after': 4,
  late: 4,
  bug: 1,
  repeated: 3,
};
const weighted = callFaults.flatMap((fault) => Array.from({ length: weights[fault] }, () => fault));

const longestSeconds: Readonly<Record<WorldFault, number>> = {
  kill: 5,
  'clock jump': 600,
  'api away': 40,
  'api throttles': 30,
  'api refuses': 30,
  'table away': 60,
  'queue away': 40,
  'registry away': 60,
  'git away': 60,
  'watches closed': 5,
  'watches expired': 5,
  'watches silent': 200,
  'cache behind': 20,
  'time travel': 60,
  'second relay': 120,
  'function broken': 900,
};

/** How often each comes: what changes the world for good, or takes long, is rarer. */
const worldWeights: Readonly<Record<WorldFault, number>> = {
  kill: 8,
  'clock jump': 2,
  'api away': 3,
  'api throttles': 3,
  'api refuses': 2,
  'table away': 2,
  'queue away': 2,
  'registry away': 2,
  'git away': 2,
  'watches closed': 4,
  'watches expired': 3,
  'watches silent': 2,
  'cache behind': 4,
  'time travel': 1,
  'second relay': 2,
  'function broken': 1,
};
const weightedOfWorld = worldFaults.flatMap((fault) => Array.from({ length: worldWeights[fault] }, () => fault));

/** A process that dies at its start each time does nothing else: most live for so long, and some do not. */
const longestLifeMs = 60_000;

/** One in so many is the world's, and not of one call. */
const oneOfWorldIn = 20;

/** How a run is spoilt. */
export interface ChaosPlan {
  readonly dice: Dice;
  readonly faults: number;
  /** Share of calls that fail. */
  readonly share: number;
  /** When the run's last action is, in milliseconds since it began. */
  readonly endMs: number;
}

/** Faults by chance, `faults` in all if the run has calls enough. */
export const chanceFaults = ({ dice, faults, share, endMs }: ChaosPlan): FaultSource => {
  const ofWorldCount = Math.floor(faults / oneOfWorldIn);
  const ofWorld = Array.from({ length: ofWorldCount }, (_, index) => {
    const name = `world fault ${index}`;
    const fault = dice.oneOf(name, weightedOfWorld);
    const seconds = Math.ceil(dice.between(`${name} seconds`, 0, longestSeconds[fault]));
    return { fault, at: Math.floor(dice.between(`${name} at`, 5000, endMs)), seconds };
  });
  let left = faults - ofWorldCount;
  return {
    ofWorld,
    at: (call) => {
      if (left === 0 || dice.chance(`fault ${call.name}`) >= share) return undefined;
      const possible = weighted.filter((fault) => fits(fault, call));
      const fault = dice.oneOf(`which ${call.name}`, possible);
      const isDeath = fault === 'death before' || fault === 'death after';
      if (isDeath && call.aliveMs < dice.between(`lives ${call.name}`, 0, longestLifeMs)) return undefined;
      left -= 1;
      if (fault !== 'late' && fault !== 'repeated') return { fault, call: call.name };
      const longest = fault === 'late' ? 20 : 400;
      return { fault, call: call.name, seconds: Math.ceil(dice.between(`seconds ${call.name}`, 0, longest)) };
    },
  };
};
