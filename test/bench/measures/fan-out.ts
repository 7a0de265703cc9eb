/** Many Images at once: how fast the last pod is there, and what that costs the API server. */
import { type AuditLog, isWrite, type Request } from '../audit.ts';
import { cpuSeconds } from '../machine.ts';
import { imageNamed } from '../objects.ts';
import { type Row, round } from '../row.ts';
import type { System } from '../system.ts';
import { inLanes, until } from '../wait.ts';
import { ownUser, type World } from '../world.ts';
import { replaySeconds } from './replay.ts';

/** What a fan-out left behind for the measures that follow. */
export interface FanOut {
  readonly names: readonly string[];
  readonly imagesPerSecond: number;
  readonly rows: readonly Row[];
  /** kpackless' own requests, in order. */
  readonly requests: readonly Request[];
}

const lanes = 32;

const isPod = ({ resource, verb, code }: Request): boolean => resource === 'pods' && verb === 'create' && code === 201;

/** kpackless' requests of passes; what its relay watches and lists is no pass's. */
export const ofPasses = (requests: readonly Request[]): readonly Request[] =>
  requests.filter(({ user, verb, namespace, resource }) => {
    const isRelay = verb === 'watch' || (verb === 'list' && namespace === '') || resource === 'namespaces';
    return user === ownUser && !isRelay;
  });

/** Collects requests until nothing was asked for `quietMs`; gives up after `seconds`. */
export const untilQuiet = async (audit: AuditLog, quietMs: number, seconds = 60): Promise<readonly Request[]> => {
  const seen: Request[] = [];
  let last = performance.now();
  await until(
    'quiet',
    () => {
      const fresh = ofPasses(audit.next());
      seen.push(...fresh);
      if (fresh.length > 0) last = performance.now();
      return performance.now() - last > quietMs ? true : undefined;
    },
    { seconds, everyMs: 100 },
  );
  return seen;
};

/** `get images 2.0, update images/status 3.0, …`, most frequent first. */
export const perImage = (requests: readonly Request[], images: number): string =>
  [...Map.groupBy(requests, ({ verb, resource }) => `${verb} ${resource}`)]
    .toSorted(([, a], [, b]) => b.length - a.length)
    .map(([what, list]) => `${what} ${round(list.length / images)}`)
    .join(', ');

/** How many passes an Image took. A pass that runs reads its Image once; what is skipped must read nothing. */
const passRows = (system: System, requests: readonly Request[], images: number): readonly Row[] => {
  const passes = system.passes().filter(({ kind }) => ['Image', 'SourceResolver', 'Build'].includes(kind));
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

const requestRows = (requests: readonly Request[], images: number): readonly Row[] => {
  const refused = requests.filter(({ code }) => code === 409).length;
  const writes = requests.filter(isWrite).length / images;
  const reads = requests.length / images - writes;
  return [
    {
      measure: 'API requests per Image up to its pod',
      measured: `${round(writes)} writes, ${round(reads)} reads`,
      goal: '≤ 7 writes, ≤ 14 reads',
      reached: writes <= 7 && reads <= 14,
      upstream: '8 writes, 4 reads',
      figures: { writes, reads, conflicts: refused },
    },
    { measure: '  which are', measured: perImage(requests, images), figures: { conflicts: refused } },
  ];
};

/** Creates `count` Images at once and measures to the last pod. */
export const fanOut = async (world: World, system: System, count: number): Promise<FanOut> => {
  const names = Array.from({ length: count }, (_, index) => `fan-${index}`);
  const audit = world.audit();
  system.passes();
  const seen: Request[] = [];
  const cpu = (): readonly number[] => [system.pid, world.pids.apiServer, world.pids.etcd].map(cpuSeconds);
  const cpuBefore = cpu();
  await inLanes(names, lanes, (name) => world.kube.create(imageNamed(world, name)));
  await until(
    `pods of ${count} Images`,
    () => {
      seen.push(...audit.next());
      return seen.filter(isPod).length >= count ? true : undefined;
    },
    { seconds: 180, everyMs: 50 },
  );
  const creates = seen.filter(({ resource, verb }) => resource === 'images' && verb === 'create');
  const first = Math.min(...creates.map(({ receivedAt }) => receivedAt));
  const last = Math.max(...seen.filter(isPod).map(({ answeredAt }) => answeredAt));
  const seconds = (last - first) / 1000;
  const imagesPerSecond = count / seconds;
  const requests = ofPasses(seen);
  const [own = 0, apiServer = 0, etcd = 0] = cpu().map(
    (now, index) => (1000 * (now - (cpuBefore[index] ?? 0))) / count,
  );
  const after = await untilQuiet(audit, 1500);
  return {
    names,
    imagesPerSecond,
    requests,
    rows: [
      {
        measure: `${count} Images at once → last pod created`,
        measured: `${round(seconds)} s, ${round(imagesPerSecond)}/s`,
        goal: '≥ 47/s (10× upstream), ≥ 46.5/s (1.5× tuned)',
        reached: imagesPerSecond >= 47,
        upstream: '4.7/s; tuned 31/s',
        figures: { seconds, imagesPerSecond },
      },
      {
        measure: '  CPU time per Image',
        measured: `kpackless ${round(own)} ms, API server ${round(apiServer)} ms, etcd ${round(etcd)} ms`,
        figures: { own, apiServer, etcd },
      },
      ...requestRows(requests, count),
      {
        measure: '  and after its pod',
        measured: `${round(after.filter(isWrite).length / count)} writes, ${round(after.filter((request) => !isWrite(request)).length / count)} reads: ${perImage(after, count)}`,
        figures: { requestsAfter: after.length / count },
      },
      ...passRows(system, [...requests, ...after], count),
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
    measured: `${Math.round(share)}% (${round(possible)} Images/s with ${lanes} in flight)`,
    goal: '≥ 60%',
    reached: share >= 60,
    upstream: 'about 90/s possible with its mix',
    figures: { sharePercent: share, possibleImagesPerSecond: possible },
  };
};
