/** Memory of kpackless on one machine, as the process that is shipped: at rest, after many Images, and with many more to watch. */
import { setTimeout as sleep } from 'node:timers/promises';
import { pausedAnnotation } from '../../../lib/api/labels.ts';
import { residentMb } from '../machine.ts';
import { applyBuilder, imageNamed } from '../objects.ts';
import { type Row, round } from '../row.ts';
import { type System, startSystem } from '../system.ts';
import { inLanes, until } from '../wait.ts';
import type { World } from '../world.ts';
import { untilQuiet } from './fan-out.ts';

/** Goals in MB (DESIGN §6). */
const goals = { idle: 110, worked: 140, watching: 160 } as const;
const worked = 200;
const lanes = 32;

/** The most that it holds within a while of rest: what a garbage collection gives back later was needed now. */
const resting = async ({ pid }: System): Promise<number> => {
  let most = 0;
  for (let look = 0; look < 10; look += 1) {
    await sleep(500);
    most = Math.max(most, residentMb(pid));
  }
  return most;
};

const row = (measure: string, mb: number, goal: number, upstream: string, more = ''): Row => ({
  measure,
  measured: `${round(mb)} MB${more}`,
  goal: `≤ ${goal} MB`,
  reached: mb <= goal,
  upstream,
  figures: { mb },
});

/** Makes Images up to their pods, and waits until nothing is asked any more. */
const work = async (world: World): Promise<void> => {
  const audit = world.audit();
  const names = Array.from({ length: worked }, (_, index) => `memory-${index}`);
  await inLanes(names, lanes, (name) => world.kube.create(imageNamed(world, name)));
  let pods = 0;
  const allPods = (): true | undefined => {
    pods += audit
      .next()
      .filter(({ verb, resource, code }) => verb === 'create' && resource === 'pods' && code === 201).length;
    return pods >= worked ? true : undefined;
  };
  await until(`pods of ${worked} Images`, allPods, { seconds: 180, everyMs: 100 });
  await untilQuiet(audit, 1500);
};

/**
 * Images that are watched and rest: they are paused, so that each costs one pass and no Build, as one that is up to date does. The largest
 * of two: while they were made, and of a start that finds them.
 */
const watch = async (world: World, system: System, count: number): Promise<Row> => {
  const paused = (name: string) => {
    const image = imageNamed(world, name);
    return { ...image, metadata: { ...image.metadata, annotations: { ...image.metadata?.annotations, ...pausedBy } } };
  };
  const names = Array.from({ length: count }, (_, index) => `watched-${index}`);
  const audit = world.audit();
  let most = 0;
  const look = setInterval(() => (most = Math.max(most, residentMb(system.pid))), 250);
  try {
    await inLanes(names, lanes, (name) => world.kube.create(paused(name)));
    await untilQuiet(audit, 5000, 600);
  } finally {
    clearInterval(look);
  }
  const made = await resting(system);
  await system.stop();
  const again = await startSystem(world);
  try {
    await untilQuiet(world.audit(), 5000, 600);
    const found = await resting(again);
    return row(
      `  with ${count} Images watched`,
      Math.max(made, found),
      goals.watching,
      '',
      ` (${round(most)} at most while they were made; ${round(found)} after a start that found them)`,
    );
  } finally {
    await again.stop();
  }
};

const pausedBy = { [pausedAnnotation]: 'true' };

/** Starts it over an API server without Images; `watched` are made at last. */
export const memory = async (world: World, watched: number): Promise<readonly Row[]> => {
  const system = await startSystem(world);
  try {
    await applyBuilder(world);
    const idle = await resting(system);
    await work(world);
    const after = await resting(system);
    return [
      row('resident at rest', idle, goals.idle, '95 MB'),
      row(`  after ${worked} Images`, after, goals.worked, '116 MB; tuned 123 MB'),
      await watch(world, system, watched),
    ];
  } finally {
    await system.stop();
  }
};
