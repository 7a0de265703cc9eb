/** kpackless and kpack's own controller, each alone in a world of its own: the same Images, the same machine, one run. */
import type { KubeObject } from '../../../lib/kube/object.ts';
import { isWrite } from '../audit.ts';
import { type KpackPlace, kpackUser, startKpack } from '../kpack.ts';
import { residentMb } from '../machine.ts';
import { applyBuilder, imageNamed } from '../objects.ts';
import { type PeerFigures, ratioRows } from '../ratios.ts';
import { median, type Row } from '../row.ts';
import { startSystem } from '../system.ts';
import { ownUser, startWorld, type World } from '../world.ts';
import { burst, ofPasses, untilQuiet } from './fan-out.ts';
import { oneAtATime } from './latency.ts';

const atOnce = 200;
const one = 20;

/** A controller under test. */
interface Subject {
  readonly user: string;
  readonly start: (world: World) => Promise<{ readonly pid: number; stop(): Promise<void> }>;
}

/** An Image with what kpack's webhook would have filled in, as it does not run here. */
const filledIn = (world: World, name: string): KubeObject => {
  const image = imageNamed(world, name);
  const limits = { failedBuildHistoryLimit: 10, successBuildHistoryLimit: 10 };
  return { ...image, spec: { ...image.spec, ...limits, imageTaggingStrategy: 'BuildNumber' } } as KubeObject;
};

const numbered = (name: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `${name}-${index}`);

const figuresOf = async (world: World, { user, start }: Subject): Promise<PeerFigures> => {
  const controller = await start(world);
  try {
    await applyBuilder(world);
    const audit = world.audit();
    await untilQuiet(audit, 3000, 60, user);
    const idleMb = residentMb(controller.pid);
    const spent = (await oneAtATime(world, numbered('one', one), user, filledIn)).map(
      ({ createdAt, podAt }) => podAt - createdAt,
    );
    audit.next();
    const { perSecond, cpu, seen } = await burst(world, controller.pid, audit, numbered('fan', atOnce), filledIn);
    const requests = ofPasses(seen, user);
    const writes = requests.filter(isWrite).length;
    return {
      imagesPerSecond: perSecond,
      p50: median(spent),
      max: Math.max(...spent),
      cpu: cpu.own,
      serverCpu: cpu.apiServer + cpu.etcd,
      writes: writes / atOnce,
      reads: (requests.length - writes) / atOnce,
      idleMb,
      afterMb: residentMb(controller.pid),
    };
  } finally {
    await controller.stop();
  }
};

const inOwnWorld = async (subject: Subject): Promise<PeerFigures> => {
  const world = await startWorld();
  try {
    return await figuresOf(world, subject);
  } finally {
    await world.stop();
  }
};

/** Ours, kpack as it comes, and kpack with SCALING_FACTOR=20. */
export const besideKpack = async (place: KpackPlace, say: (line: string) => void): Promise<readonly Row[]> => {
  const kpack = (scale: number): Subject => ({ user: kpackUser, start: (world) => startKpack(world, place, scale) });
  const measure = (name: string, subject: Subject): Promise<PeerFigures> => {
    say(`kpack: ${name}, ${one} Images one at a time and ${atOnce} at once`);
    return inOwnWorld(subject);
  };
  return ratioRows({
    ours: await measure('kpackless', { user: ownUser, start: startSystem }),
    kpack: await measure('kpack', kpack(1)),
    tuned: await measure('kpack SCALING_FACTOR=20', kpack(20)),
  });
};
