/** What a namespace waits for its one Image while another namespace has thousands under way (DESIGN §3.32). */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AuditedRequest } from '../../support/audit-line.ts';
import type { AuditLog } from '../audit.ts';
import { residentMb } from '../machine.ts';
import { applyBuilder, imageNamed, namespace } from '../objects.ts';
import { atMost, type Row, round } from '../row.ts';
import { type System, startSystem } from '../system.ts';
import { inLanes, until } from '../wait.ts';
import { ownUser, type World } from '../world.ts';
import { isPod, untilQuiet } from './fan-out.ts';
import { changeStack, finishBuilds, isRebased } from './stack-change.ts';

/** Goals (DESIGN §6). */
const goalSeconds = 2;
const goalKilobytesEach = 30;
const lanes = 32;
/** Between two Images of other namespaces while the many are worked on. */
const betweenProbes = 1500;
/** Longest that a single Image is waited for: what the code before this measure took. */
const patienceSeconds = 300;

/** What the audit log says, for several who want to know. */
class Seen {
  readonly #audit: AuditLog;
  readonly requests: AuditedRequest[] = [];

  constructor(audit: AuditLog) {
    this.#audit = audit;
  }

  look(): readonly AuditedRequest[] {
    const fresh = this.#audit.next();
    this.requests.push(...fresh);
    return fresh;
  }
}

let probes = 0;

/** Applies one Image in a namespace of its own; gives the seconds from its creation to its pod's. */
const probe = async (world: World, seen: Seen): Promise<number> => {
  probes += 1;
  const other = `other-${probes}`;
  await world.kube.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: other } });
  await world.kube.apply({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'builder', namespace: other },
  });
  const image = imageNamed(world, 'single');
  await world.kube.create({ ...image, metadata: { ...image.metadata, namespace: other } });
  return until(
    `the pod of the Image in ${other}`,
    () => {
      seen.look();
      const made = seen.requests.find(
        (request) => request.namespace === other && request.resource === 'images' && request.verb === 'create',
      );
      const pod = seen.requests.find((request) => request.namespace === other && isPod(request));
      return made === undefined || pod === undefined ? undefined : (pod.answeredAt - made.receivedAt) / 1000;
    },
    { seconds: patienceSeconds, everyMs: 20 },
  );
};

/** One case: who waited how long beside the many, and how long they took until the last of them was done. */
export interface Case {
  readonly waits: readonly number[];
  readonly seconds: number;
}

/** Sends single Images until `isDone`, which says so of the many. */
const beside = async (world: World, seen: Seen, isDone: () => boolean): Promise<Case> => {
  const began = performance.now();
  const waits: number[] = [];
  let ended = 0;
  const look = (): boolean => {
    if (ended === 0 && isDone()) ended = performance.now();
    return ended > 0;
  };
  const timer = setInterval(look, 100);
  try {
    do {
      waits.push(await probe(world, seen));
      await sleep(betweenProbes);
    } while (!look());
  } finally {
    clearInterval(timer);
  }
  return { waits, seconds: (ended - began) / 1000 };
};

/** Says so once as many different names have been asked for in requests that are `what`. */
const allSeen = (seen: Seen, many: number, what: (request: AuditedRequest) => boolean): (() => boolean) => {
  const names = new Set<string>();
  let read = 0;
  return () => {
    seen.look();
    for (; read < seen.requests.length; read += 1) {
      const request = seen.requests[read];
      if (request !== undefined && request.namespace === namespace && what(request)) names.add(request.name);
    }
    return names.size >= many;
  };
};

const row = (what: string, { waits, seconds }: Case, took: string, perSecond: number): Row => {
  const most = Math.max(...waits);
  return {
    measure: `another namespace's Image → its pod, beside ${what}`,
    measured: `${round(most)} s at most of ${waits.length}, the first ${round(waits[0] ?? 0)} s; ${took} ${round(seconds)} s`,
    ...atMost(goalSeconds, ' s', most),
    upstream: 'behind all of them',
    figures: { most, first: waits[0] ?? 0, seconds, perSecond },
  };
};

/** The largest that the process was since the call, in MB. */
const memoryOf = (pid: number): (() => number) => {
  let most = residentMb(pid);
  const timer = setInterval(() => (most = Math.max(most, residentMb(pid))), 100);
  timer.unref();
  return () => {
    clearInterval(timer);
    return most;
  };
};

/** Makes Images of one namespace at once; others come by until the last of them has its pod. */
export const madeAtOnce = async (world: World, names: readonly string[]): Promise<Case> => {
  const seen = new Seen(world.audit());
  const making = inLanes(names, lanes, (name) => world.kube.create(imageNamed(world, name)));
  const result = await beside(world, seen, allSeen(seen, names.length, isPod));
  await making;
  return result;
};

const changed = async (world: World, names: readonly string[]): Promise<Case> => {
  const seen = new Seen(world.audit());
  await changeStack(world);
  // Until the builder stands on the new stack every Image waits for it, those of other namespaces too.
  await until('the first rebase', () => allSeen(seen, 1, isRebased)() || undefined, { seconds: 120, everyMs: 20 });
  return beside(world, seen, allSeen(seen, names.length, isRebased));
};

/** The first Image comes with the process's first request, the second once it has listed everything. */
const restarted = async (world: World): Promise<{ readonly result: Case; readonly system: System }> => {
  const seen = new Seen(world.audit());
  const starting = startSystem(world);
  await until('its first request', () => seen.look().some(({ user }) => user === ownUser) || undefined, {
    seconds: 60,
    everyMs: 20,
  });
  const began = performance.now();
  const first = await probe(world, seen);
  const system = await starting;
  const seconds = (performance.now() - began) / 1000;
  return { result: { waits: [first, await probe(world, seen)], seconds }, system };
};

const warmUp = Array.from({ length: 300 }, (_, index) => `few-${index}`);

/** `many` Images of one namespace: made at once, under a new stack, and found by a start; each time Images of other namespaces come by. */
export const fair = async (world: World, many: number, say: (line: string) => void): Promise<readonly Row[]> => {
  const names = Array.from({ length: many }, (_, index) => `many-${index}`);
  let system = await startSystem(world);
  try {
    await applyBuilder(world);
    // What any burst takes is no Image's: garbage of the moment, connections, code that is compiled.
    const few = memoryOf(system.pid);
    await madeAtOnce(world, warmUp);
    const before = few();
    const largest = memoryOf(system.pid);
    say(`fair: ${many} Images of one namespace at once`);
    const atOnce = await madeAtOnce(world, names);
    await untilQuiet(world.audit(), 1500, 120);
    const worked = largest();
    say('fair: a new run image under all of them');
    await finishBuilds(world, names);
    const stack = await changed(world, names);
    await untilQuiet(world.audit(), 1500, 120);
    say('fair: a start that finds them');
    await system.stop();
    const again = await restarted(world);
    system = again.system;
    const kilobytes = (1000 * (worked - before)) / many;
    return [
      row(`${many} Images made at once`, atOnce, 'their pods took', many / atOnce.seconds),
      row(`a stack change over ${many} Images`, stack, 'their rebases took', many / stack.seconds),
      row(`a start that finds ${many} Images`, again.result, 'listing all took', many / again.result.seconds),
      {
        measure: '  memory for each of the many, at most',
        measured: `${round(kilobytes)} kB (${round(before)} MB at most with ${warmUp.length} of them, ${round(worked)} MB with all)`,
        ...atMost(goalKilobytesEach, ' kB', kilobytes),
        figures: { before, worked, kilobytes },
      },
    ];
  } finally {
    await system.stop();
  }
};
