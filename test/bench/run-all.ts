/** The measures in their order: those that share a running kpackless together. */
import { PermanentError } from '../../lib/errors/expected.ts';
import { type KpackPlace, kpackPlace } from './kpack.ts';
import { builders } from './measures/builders.ts';
import { bundles } from './measures/bundles.ts';
import { fair } from './measures/fair.ts';
import { fairSimulated } from './measures/fair-simulated.ts';
import { apiShare, type FanOut, fanOut } from './measures/fan-out.ts';
import { unchanged } from './measures/idle.ts';
import { invocations } from './measures/invoke.ts';
import { latency } from './measures/latency.ts';
import { largeLayer } from './measures/layer.ts';
import { linear } from './measures/linear.ts';
import { memory } from './measures/memory.ts';
import { recovery } from './measures/outage.ts';
import { besideKpack } from './measures/peers.ts';
import { polls } from './measures/polls.ts';
import { prepareStep } from './measures/prepare.ts';
import { rebases } from './measures/rebase.ts';
import { relayMemory } from './measures/relay.ts';
import { finishBuilds, stackChange } from './measures/stack-change.ts';
import { dueAtOnce } from './measures/sweep.ts';
import { applyBuilder } from './objects.ts';
import type { BenchOptions } from './options.ts';
import type { Row } from './row.ts';
import { type System, startSystem } from './system.ts';
import { startWorld, type World } from './world.ts';

/** Groups that need a running kpackless. */
const needSystem = ['latency', 'fan-out', 'idle', 'stack', 'builders', 'outage', 'linear'] as const;

/** Groups that need no API server and registries, or some of their own. */
const needNoWorld: ReadonlySet<string> = new Set(['kpack', 'bundles', 'invoke', 'prepare', 'memory', 'fair', 'sweep']);

type Say = (line: string) => void;

const withSystem = async (world: World, { only, images, rounds }: BenchOptions, say: Say): Promise<readonly Row[]> => {
  const rows: Row[] = [];
  const system: System = await startSystem(world);
  try {
    await applyBuilder(world);
    let made: FanOut | undefined;
    if (only.has('latency')) {
      say('latency: Images one at a time');
      rows.push(...(await latency(world, system)));
    }
    if (only.has('fan-out') || only.has('idle') || only.has('stack')) {
      say(`fan-out: ${images} Images at once`);
      made = await fanOut(world, system, images);
      if (only.has('fan-out')) rows.push(...made.rows);
    }
    if (only.has('idle') && made !== undefined) {
      say('idle: passes that change nothing');
      rows.push(...(await unchanged(world, made.names)));
    }
    if (only.has('stack') && made !== undefined) {
      say('stack: a new run image under all Images');
      await finishBuilds(world, made.names);
      rows.push(...(await stackChange(world, made.names)));
    }
    if (only.has('builders')) {
      say('builders: 50 in another registry');
      rows.push(...(await builders(world)));
    }
    if (only.has('outage')) {
      say(`outage: the API server goes away ${3 * rounds} times`);
      rows.push(await recovery(world, rounds));
    }
    if (only.has('linear')) rows.push(await linear(world, system, say));
    await system.stop();
    if (only.has('fan-out') && made !== undefined) {
      say('fan-out: the same requests from a plain client');
      rows.push(await apiShare(world, made));
    }
  } finally {
    await system.stop();
  }
  return rows;
};

/** What is simulated beside `many` on a real API server: AWS, and five times as many on both. */
const simulated = (many: number) =>
  [
    ['AWS', many],
    ['AWS', 5 * many],
    ['one process', 5 * many],
  ] as const;

/** @throws PermanentError when it is not here */
const neededKpack = (): KpackPlace => {
  const place = kpackPlace(process.env);
  if (place !== undefined) return place;
  throw new PermanentError('Usage', 'to measure beside kpack, KPACK_CONTROLLER and KPACK_CONFIG must name it');
};

/** Runs what `only` names; everything it started is gone afterwards. */
export const runAll = async (options: BenchOptions, say: Say): Promise<readonly Row[]> => {
  const { only } = options;
  const rows: Row[] = [];
  if (only.has('kpack')) rows.push(...(await besideKpack(neededKpack(), say)));
  if (only.has('bundles')) {
    say('bundles: sizes and starts');
    rows.push(...(await bundles()));
  }
  if (only.has('invoke')) {
    say('invoke: warm batches of ten passes');
    rows.push(...(await invocations()));
    say('invoke: a round of a hundred git polls');
    rows.push(...(await polls()));
  }
  if (only.has('prepare')) {
    say('prepare: a source of 3,500 files');
    rows.push(await prepareStep());
  }
  if (only.has('sweep')) {
    say('sweep: 50,000 due at once');
    rows.push(await dueAtOnce());
  }
  if ([...only].some((group) => !needNoWorld.has(group)))
    rows.push(...(await inWorld(say, (world) => inOneWorld(world, options, say))));
  if (only.has('memory')) {
    say(`memory: at rest, after 200 Images, beside ${options.watched}`);
    rows.push(...(await inWorld(say, (world) => memory(world, options.watched))));
  }
  if (only.has('fair')) {
    rows.push(...(await inWorld(say, (world) => fair(world, options.many, say))));
    for (const [on, many] of simulated(options.many)) {
      say(`fair: the same on ${on} with ${many} Images, simulated`);
      rows.push(...(await fairSimulated(many, on)));
    }
  }
  return rows;
};

/** Runs measures beside an API server and registries of their own. */
const inWorld = async (say: Say, measures: (world: World) => Promise<readonly Row[]>): Promise<readonly Row[]> => {
  say('starting an API server and two registries');
  const world = await startWorld();
  // Its processes are in groups of their own: Ctrl-C reaches only this one.
  const interrupted = (): void => void world.stop().finally(() => process.exit(1));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupted);
  try {
    return await measures(world);
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, interrupted);
    await world.stop();
  }
};

/** Those that share one world, in their order. */
const inOneWorld = async (world: World, options: BenchOptions, say: Say): Promise<readonly Row[]> => {
  const { only } = options;
  const rows: Row[] = [];
  if (needSystem.some((group) => only.has(group))) rows.push(...(await withSystem(world, options, say)));
  if (only.has('rebase')) {
    say('rebase: images one after the other');
    rows.push(...(await rebases(world)));
  }
  if (only.has('layer')) {
    say('layer: 200 MB between registries');
    rows.push(await largeLayer(world));
  }
  if (only.has('relay')) {
    say(`relay: ${options.watched} Images`);
    rows.push(await relayMemory(world, options.watched));
  }
  return rows;
};
