/** One run: users act, faults happen, everything comes to rest, and is looked at. */

import { queueRows } from '../../lib/reconcile/kind-table.ts';
import { shownFault } from './calls.ts';
import { diceOf } from './dice.ts';
import { differences, type EndState, endState } from './end-state.ts';
import { type Fault, type FaultSource } from './faults.ts';
import type { Adapter, Installation } from './installation/installation.ts';
import { installationOnAws } from './installation/on-aws.ts';
import { standaloneInstallation } from './installation/standalone.ts';
import { watchOver } from './invariants.ts';
import { notDue, ofTheGone, orphans, withoutEnd } from './leftovers.ts';
import type { TraceLine } from './trace.ts';
import { machineMilliseconds } from './virtual-time.ts';
import { type Action, Users } from './workload.ts';
import { World } from './world.ts';

/** What a run is told. */
export interface RunOptions {
  readonly seed: number;
  readonly adapter: Adapter;
  readonly images: number;
  readonly actions: readonly Action[];
  readonly faults: FaultSource;
  /** How the run without faults ended; undefined when this is it. */
  readonly wanted?: EndState | undefined;
  /** Goes on for a day after all is quiet, and looks for what is left then. */
  readonly day?: boolean;
  /** How long is looked on after all is as wanted. */
  readonly quietMinutes?: number | undefined;
  /** Names of calls that the trace tells of though nothing is wrong with them. */
  readonly told?: RegExp | undefined;
  /** Hears now and then how far it is. */
  readonly progress?: ((elapsedMs: number, injected: number, builds: number) => void) | undefined;
}

/** What became of it. */
export interface RunReport {
  readonly violations: readonly string[];
  readonly injected: readonly Fault[];
  readonly state: EndState;
  readonly trace: readonly TraceLine[];
  readonly calls: number;
  /** Of these, those made while users acted. */
  readonly activeCalls: number;
  readonly steps: number;
  readonly passes: number;
  /** Of these, those that ended, by kind. */
  readonly passesOf: ReadonlyMap<string, number>;
  readonly builds: number;
  /** Seconds of the run from its last action or fault until everything was as wanted. */
  readonly settledSeconds: number;
  /** What was last not as wanted. */
  readonly settledLast: string;
  /** Seconds of the run in all, and of the machine. */
  readonly runSeconds: number;
  readonly machineSeconds: number;
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
/** Dead letters that came back in vain come again after 40 minutes, 160 … (lib/sweeper/redrive.ts), and a lost event is noticed in a day. */
const longestMs = 26 * hour;
const lookMs = 5 * second;
/** So long nothing is written before it counts as rest: a poll may be under way. */
const restMs = 2 * minute;
const usualQuietMinutes = 25;
/** Of one object in a quiet minute: polls of git come each minute, of registries each five. */
const mostQuietPasses = 1.6;
const progressMs = 2000;

/** Does a fault of the world. */
const afflict = (
  world: World,
  installation: Installation,
  fault: Extract<Fault, { readonly at: number }>,
  users: Users,
  anew: () => void,
): void => {
  const { dice, calls, api } = world;
  const { seconds, at } = fault;
  const name = `${fault.fault} ${at}`;
  const life = installation.lives().length === 0 ? undefined : dice.oneOf(name, installation.lives());
  calls.note(life?.role ?? 'world', undefined, shownFault(fault));
  switch (fault.fault) {
    case 'kill':
      if (life !== undefined) world.kill(life);
      break;
    case 'clock jump':
      if (life !== undefined) life.skewMs += (dice.chance(`${name} way`) < 0.5 ? -1 : 1) * seconds * second;
      break;
    case 'api away':
      calls.takeAway('api', seconds);
      api.closeWatches();
      break;
    case 'table away':
      calls.takeAway('table', seconds);
      break;
    case 'queue away':
      calls.takeAway('queue', seconds);
      break;
    case 'registry away':
      calls.takeAway('registry', seconds);
      break;
    case 'git away':
      calls.takeAway('git', seconds);
      break;
    case 'api throttles':
      api.throttle(seconds);
      break;
    case 'api refuses':
      api.refuse(seconds);
      break;
    case 'watches closed':
      api.closeWatches();
      break;
    case 'watches expired':
      api.compact();
      break;
    case 'watches silent':
      api.keepSilent(seconds);
      break;
    case 'cache behind':
      api.keepCacheBehind(seconds);
      break;
    case 'second relay':
      installation.secondRelay(seconds);
      break;
    case 'function broken':
      world.breakFunction(dice.oneOf(`${name} queue`, queueRows).name, seconds);
      break;
    case 'time travel':
      calls.takeAway('api', 3);
      world.travel(seconds);
      anew();
      world.time.in(dice.between(`${name} again`, 5 * second, 30 * second), () => users.applyAll(), undefined);
      break;
  }
};

/** The run, in the time that is installed. */
const inTime = async (world: World, options: RunOptions): Promise<RunReport> => {
  const { time, calls } = world;
  const {
    seed: _,
    adapter,
    images,
    actions,
    faults,
    wanted,
    progress,
    day = false,
    quietMinutes = usualQuietMinutes,
  } = options;
  const began = machineMilliseconds();
  calls.told = options.told;
  const users = new Users(world, images);
  const watched = watchOver(world);
  time.as(undefined, () => users.begin());
  const installation = adapter === 'sqlite' ? standaloneInstallation(world) : await installationOnAws(world);
  world.hasDeadLetters = () => installation.deadLetters().length > 0;

  const at = (milliseconds: number, act: () => void): void => void time.in(milliseconds, act, undefined);
  for (const action of actions) at(action.at, () => users.do(action));
  for (const fault of faults.ofWorld)
    at(fault.at, () => {
      calls.injected.push(fault);
      afflict(world, installation, fault, users, watched.beginAnew);
    });

  let toldAt = began;
  const tell = (): void => {
    const now = machineMilliseconds();
    if (progress === undefined || now - toldAt < progressMs) return;
    toldAt = now;
    progress(world.elapsed, calls.injected.length, watched.builds());
  };
  const until = (milliseconds: number): Promise<void> =>
    time.until(world.startMs + milliseconds, tell, () => world.violations.length > 0);

  const activeMs = Math.max(
    60 * second,
    ...actions.map((action) => action.at),
    ...faults.ofWorld.map((fault) => fault.at),
  );
  await until(activeMs);
  // Those bound to calls end as well: what they broke has to heal.
  calls.isSpoilt = false;
  const activeCalls = calls.made;
  const toGo = (): readonly string[] => (wanted === undefined ? [] : differences(wanted, endState(world)));
  const isAtRest = (): boolean =>
    installation.waiting() === 0 && installation.deadLetters().length === 0 && toGo().length === 0;
  let nextMs = activeMs;
  await until(nextMs);
  let settledLast = '';
  let settledMs = nextMs;
  let { version } = world.store;
  while (
    (!isAtRest() || nextMs - settledMs < restMs) &&
    nextMs - activeMs < longestMs &&
    world.violations.length === 0
  ) {
    nextMs += nextMs - activeMs > hour ? minute : lookMs;
    await until(nextMs);
    if (isAtRest() && world.store.version === version) continue;
    ({ version } = world.store);
    settledMs = nextMs;
    settledLast =
      toGo()[0] ??
      `${installation.waiting()} messages, dead letters in ${installation.deadLetters().join(', ') || 'no queue'}`;
  }
  if (!isAtRest() && world.violations.length === 0) {
    for (const difference of toGo()) world.violate(`after ${longestMs / hour} hours ${difference}`);
    if (installation.deadLetters().length > 0)
      world.violate(`dead letters are left in ${installation.deadLetters().join(', ')}`);
    if (installation.waiting() > 0) world.violate(`${installation.waiting()} messages are still waiting`);
  }

  if (world.violations.length === 0) {
    world.passes.forget();
    await until(nextMs + quietMinutes * minute);
    if (world.store.version !== version)
      world.violate(`${world.store.version - version} writes were made after everything had come to rest`);
    for (const [object, count] of world.passes.counts)
      if (count > 3 + mostQuietPasses * quietMinutes)
        world.violate(`${object} had ${count} passes in ${quietMinutes} quiet minutes`);
    for (const sentence of toGo()) world.violate(`once at rest, ${sentence}`);
    for (const sentence of [...notDue(world, installation.database), ...orphans(world)]) world.violate(sentence);
  }
  if (day && world.violations.length === 0) {
    await until(nextMs + 26 * hour);
    for (const sentence of [
      ...withoutEnd(world, installation.database),
      ...ofTheGone(world, installation.database),
      ...notDue(world, installation.database),
      ...toGo(),
    ])
      world.violate(`a day later, ${sentence}`);
  }
  return {
    violations: world.violations,
    injected: calls.injected,
    state: endState(world),
    trace: world.trace.lines,
    calls: calls.made,
    activeCalls,
    steps: time.steps,
    passes: world.passes.count,
    passesOf: world.passes.byKind(),
    builds: watched.builds(),
    settledSeconds: (settledMs - activeMs) / second,
    settledLast,
    runSeconds: world.elapsed / second,
    machineSeconds: (machineMilliseconds() - began) / second,
  };
};

/** Runs it, in time of its own. */
export const run = async (options: RunOptions): Promise<RunReport> => {
  const world = new World(diceOf(options.seed), options.faults);
  using _time = world.time.install();
  return await inTime(world, options);
};
