/** Many Images at once: how fast the last pod is there, and what that costs the API server. */
import type { KubeObject } from '../../../lib/kube/object.ts';
import type { AuditedRequest } from '../../support/audit-line.ts';
import { type AuditLog, isWrite } from '../audit.ts';
import { chainName, commonChain, hopsOf } from '../hops.ts';
import { cpuSeconds } from '../machine.ts';
import { imageNamed } from '../objects.ts';
import { atLeast, atMost, type Row, round } from '../row.ts';
import type { PassLine, System } from '../system.ts';
import { inLanes, until } from '../wait.ts';
import { ownUser, type World } from '../world.ts';
import { replaySeconds } from './replay.ts';

/** What a fan-out left behind for the measures that follow. */
export interface FanOut {
  readonly names: readonly string[];
  readonly imagesPerSecond: number;
  readonly rows: readonly Row[];
  /** kpackless' own requests, in order. */
  readonly requests: readonly AuditedRequest[];
}

const lanes = 32;

/** Whether it made a pod. */
export const isPod = ({ resource, verb, code }: AuditedRequest): boolean =>
  resource === 'pods' && verb === 'create' && code === 201;

/** What no Image costs: a controller's lease, and words about what it does. */
const besideWork = new Set(['namespaces', 'leases', 'events', 'configmaps']);

/** A controller's requests of passes; what it watches and lists for that is no pass's. */
export const ofPasses = (requests: readonly AuditedRequest[], of: string = ownUser): readonly AuditedRequest[] =>
  requests.filter(({ user, verb, namespace, resource }) => {
    const isWatching = verb === 'watch' || (verb === 'list' && namespace === '') || besideWork.has(resource);
    return user === of && !isWatching;
  });

/** Collects the requests of a controller's passes until nothing was asked for `quietMs`; gives up after `seconds`. */
export const untilQuiet = async (
  audit: AuditLog,
  quietMs: number,
  seconds = 60,
  user: string = ownUser,
): Promise<readonly AuditedRequest[]> => {
  const seen: AuditedRequest[] = [];
  let last = performance.now();
  await until(
    'quiet',
    () => {
      const fresh = ofPasses(audit.next(), user);
      seen.push(...fresh);
      if (fresh.length > 0) last = performance.now();
      return performance.now() - last > quietMs ? true : undefined;
    },
    { seconds, everyMs: 100 },
  );
  return seen;
};

/** `get images 2.0, update images/status 3.0, …`, most frequent first. */
export const perImage = (requests: readonly AuditedRequest[], images: number): string =>
  [...Map.groupBy(requests, ({ verb, resource }) => `${verb} ${resource}`)]
    .toSorted(([, a], [, b]) => b.length - a.length)
    .map(([what, list]) => `${what} ${round(list.length / images)}`)
    .join(', ');

const countedKinds: ReadonlySet<string> = new Set(['Image', 'SourceResolver', 'Build']);

/** How many passes an Image took. A pass that runs reads its Image once; what is skipped must read nothing. */
const passRows = (all: readonly PassLine[], requests: readonly AuditedRequest[], images: number): readonly Row[] => {
  const passes = all.filter(({ kind }) => countedKinds.has(kind));
  const counts = Map.groupBy(passes, ({ kind, result }) => `${kind} ${result}`);
  const figures = Object.fromEntries([...counts].map(([what, list]) => [what, round(list.length / images)]));
  const text = Object.entries(figures).map(([what, count]) => `${what} ${count}`);
  const ofImages = passes.filter(({ kind }) => kind === 'Image');
  const skipped = ofImages.filter(({ result }) => result === 'skipped').length;
  const reads = requests.filter(({ verb, resource }) => verb === 'get' && resource === 'images').length;
  const tooMany = Math.max(0, reads - (ofImages.length - skipped));
  return [
    { measure: '  passes per Image', measured: text.join(', '), figures },
    {
      measure: 'API requests of a wake-up that is skipped',
      measured: `${round(tooMany / Math.max(1, skipped))} (${skipped} skipped for Images; ${reads} reads by ${ofImages.length - skipped} passes)`,
      goal: '0',
      reached: tooMany === 0 && skipped > 0,
      figures: { skipped, tooMany },
    },
  ];
};

const requestRows = (requests: readonly AuditedRequest[], images: number): readonly Row[] => {
  const refused = requests.filter(({ code }) => code === 409).length;
  const writes = requests.filter(isWrite).length / images;
  const reads = requests.length / images - writes;
  return [
    {
      measure: 'API requests per Image up to its pod',
      measured: `${round(writes)} writes, ${round(reads)} reads`,
      goal: '≤ 5 writes, ≤ 7 reads',
      reached: writes <= 5 && reads <= 7,
      upstream: '8.1 writes, 4 reads; tuned 10.2, 4',
      figures: { writes, reads, conflicts: refused },
    },
    { measure: '  which are', measured: perImage(requests, images), figures: { conflicts: refused } },
  ];
};

/** What many Images at once came to. CPU is milliseconds per Image; times are milliseconds since 1970. */
export interface Burst {
  readonly seconds: number;
  readonly perSecond: number;
  readonly cpu: { readonly own: number; readonly apiServer: number; readonly etcd: number };
  /** Every request meanwhile, everybody's. */
  readonly seen: readonly AuditedRequest[];
  readonly createdAt: ReadonlyMap<string, number>;
  readonly podAt: ReadonlyMap<string, number>;
}

const podsImage = (name: string): string => name.replace(/-build-1-build-pod$/, '');

/** Creates the Images at once, and waits for the last pod that controller `pid` makes. */
export const burst = async (
  world: World,
  pid: number,
  audit: AuditLog,
  names: readonly string[],
  imageOf: (world: World, name: string) => KubeObject = imageNamed,
): Promise<Burst> => {
  const cpu = (): readonly number[] => [pid, world.pids.apiServer, world.pids.etcd].map(cpuSeconds);
  const seen: AuditedRequest[] = [];
  const createdAt = new Map<string, number>();
  const podAt = new Map<string, number>();
  const look = (): void => {
    // Each request is looked at once: what the measure costs is missing to what is measured.
    for (const request of audit.next()) {
      seen.push(request);
      if (request.resource === 'images' && request.verb === 'create') createdAt.set(request.name, request.receivedAt);
      if (isPod(request)) podAt.set(podsImage(request.name), request.answeredAt);
    }
  };
  const before = cpu();
  await inLanes(names, lanes, (name) => world.kube.create(imageOf(world, name)));
  await until(
    `pods of ${names.length} Images`,
    () => {
      look();
      return podAt.size >= names.length ? true : undefined;
    },
    { seconds: Math.max(180, names.length / 4), everyMs: 50 },
  );
  const [own = 0, apiServer = 0, etcd = 0] = cpu().map(
    (now, index) => (1000 * (now - (before[index] ?? 0))) / names.length,
  );
  const first = [...createdAt.values()].reduce((a, b) => Math.min(a, b));
  const last = [...podAt.values()].reduce((a, b) => Math.max(a, b));
  const seconds = (last - first) / 1000;
  return { seconds, perSecond: names.length / seconds, cpu: { own, apiServer, etcd }, seen, createdAt, podAt };
};

/** The way of the Images to their pods: which passes, in what order, and the messages that took. */
const hopRows = (
  passes: readonly PassLine[],
  names: readonly string[],
  { createdAt, podAt }: Burst,
): readonly Row[] => {
  const lastPod = Math.max(...podAt.values());
  const chains = names.map((name) => hopsOf(passes, name, createdAt.get(name) ?? 0, podAt.get(name) ?? 0));
  const { hops, taken } = commonChain(chains);
  const upToPod = passes.filter(({ kind, at }) => countedKinds.has(kind) && at <= lastPod);
  const messages = upToPod.reduce((sum, pass) => sum + pass.messages, 0) / names.length;
  const hopCount = chains.reduce((sum, chain) => sum + chain.length, 0) / names.length;
  return [
    {
      measure: '  hops of an Image to its pod',
      measured: `${round(hopCount)}, ${round(messages)} messages; ${Math.round((100 * taken) / names.length)}% took ${chainName(hops)}`,
      figures: { hops: hopCount, messages, inCommonChain: hops.length },
    },
  ];
};

/** Creates `count` Images at once and measures to the last pod. */
export const fanOut = async (world: World, system: System, count: number): Promise<FanOut> => {
  const names = Array.from({ length: count }, (_, index) => `fan-${index}`);
  const audit = world.audit();
  system.passes();
  const result = await burst(world, system.pid, audit, names);
  const { seconds, perSecond, cpu } = result;
  const requests = ofPasses(result.seen);
  const after = await untilQuiet(audit, 1500);
  const passes = system.passes();
  return {
    names,
    imagesPerSecond: perSecond,
    requests,
    rows: [
      {
        measure: `${count} Images at once → last pod created`,
        measured: `${round(seconds)} s, ${round(perSecond)}/s`,
        upstream: '4.9/s; tuned 34.9/s',
        ...atLeast(52, '/s', perSecond),
        figures: { seconds, imagesPerSecond: perSecond },
      },
      {
        measure: '  CPU time per Image, kpackless',
        measured: `${round(cpu.own)} ms`,
        upstream: 'tuned 8.7 ms',
        ...atMost(9, ' ms', cpu.own),
        figures: { own: cpu.own },
      },
      {
        measure: '  CPU time per Image, API server and etcd',
        measured: `${round(cpu.apiServer + cpu.etcd)} ms (${round(cpu.apiServer)} + ${round(cpu.etcd)})`,
        upstream: 'tuned 42 ms',
        ...atMost(28, ' ms', cpu.apiServer + cpu.etcd),
        figures: { apiServer: cpu.apiServer, etcd: cpu.etcd },
      },
      ...requestRows(requests, count),
      {
        measure: '  and after its pod',
        measured: `${round(after.filter(isWrite).length / count)} writes, ${round(after.filter((request) => !isWrite(request)).length / count)} reads: ${perImage(after, count)}`,
        figures: { requestsAfter: after.length / count },
      },
      ...hopRows(passes, names, result),
      ...passRows(passes, [...requests, ...after], count),
    ],
  };
};

/** The same requests again from a plain client with 32 in flight: what this API server takes, with kpackless stopped. */
export const apiShare = async (world: World, { requests, names, imagesPerSecond }: FanOut): Promise<Row> => {
  const count = Math.min(names.length, 300);
  const seconds = await replaySeconds(world, requests, names[0] ?? '', count, lanes);
  const possible = count / seconds;
  const share = (100 * imagesPerSecond) / possible;
  return {
    measure: 'of what the API server takes of our request mix',
    measured: `${Math.round(share)}% (${round(imagesPerSecond)} of ${round(possible)} Images/s with ${lanes} in flight)`,
    ratio: true,
    ...atLeast(70, '%', share),
    upstream: 'about 90/s possible with its mix',
    figures: { sharePercent: share, possibleImagesPerSecond: possible },
  };
};
