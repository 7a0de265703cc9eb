/** What an installation costs a month: counts of work × prices. Pure. Network (NAT, endpoints, transfer) and build pods are not in it. */
import { sqsRows } from '../reconcile/kind-table.ts';
import {
  alarms,
  buildWork,
  emptyPollsPerQueueMonth,
  fullBatch,
  keys,
  looksPerDay,
  lookWork,
  metrics,
  passGb,
  passLogBytes,
  passSeconds,
  pollLookWork,
  pollSeconds,
  pollsInPage,
  pollWork,
  relayWritesPerHour,
  roundWork,
  storedBytesPerImage,
  sweepQueries,
  type Work,
} from './counts.ts';
import type { Free, Prices } from './prices.ts';

/** What is run. */
export interface Fleet {
  readonly images: number;
  /** Of each Image. */
  readonly buildsPerDay: number;
  readonly clusters: number;
  /** Different repositories, branches and credentials that are polled. */
  readonly repositories: number;
  /** Seconds between two looks at a repository. */
  readonly pollSeconds: number;
  /** Builds of each Image that are kept. */
  readonly keptBuilds: number;
}

const daysPerMonth = 30.4;
const million = 1_000_000;
const gb = 1_000_000_000;
/** Batches that Lambda asks for at once when little is there. */
const pollers = 5;
const minutesPerMonth = daysPerMonth * 24 * 60;

/** US dollars of one unit of work. */
export const workCost = (work: Work, prices: Prices): number =>
  (work.invocations * prices.lambdaRequestsPerMillion) / million +
  work.passes * passSeconds * passGb * prices.lambdaGbSecond +
  (work.storeReads * prices.storeReadsPerMillion) / million +
  // What moves a due time writes the item once and the index twice.
  ((work.storeWrites + 2 * work.dueMoves) * prices.storeWritesPerMillion) / million +
  (work.queueRequests * prices.fifoRequestsPerMillion) / million +
  (work.passes * passLogBytes * prices.logsGb) / gb;

/** How many messages a batch holds when the sweeper finds so many of a kind each minute: five pollers share them, ten at a time. */
export const messagesInBatch = (perMinute: number): number => Math.min(fullBatch, Math.max(1, perMinute / pollers));

/** The same work with so many messages in each batch. */
export const batched = (work: Work, messages: number): Work => ({
  ...work,
  // What wakes an object goes with others; a pass is a pass.
  invocations: work.invocations / messages,
  queueRequests: work.queueRequests / messages,
});

/** US dollars of what a repository adds to a round: it is no pass of its own, and takes time. */
const pollCost = (prices: Prices): number => workCost(pollWork, prices) + pollSeconds * passGb * prices.lambdaGbSecond;

/** Part of a bill. */
export interface Part {
  readonly what: string;
  /** How often a month. */
  readonly count: number;
  /** US dollars a month. */
  readonly cost: number;
}

const times = (what: string, count: number, work: Work, prices: Prices): Part => ({
  what,
  count: Math.round(count),
  cost: count * workCost(work, prices),
});

/** What work costs. */
export const variableParts = (fleet: Fleet, prices: Prices): readonly Part[] => {
  const { images, buildsPerDay, clusters, repositories, keptBuilds } = fleet;
  // An Image, its SourceResolver and its Builds are each looked at.
  const looks = images * (2 + keptBuilds) * looksPerDay * daysPerMonth;
  const roundsOfPage = fleet.pollSeconds === 0 ? 0 : (daysPerMonth * 86_400) / fleet.pollSeconds;
  const polls = repositories * roundsOfPage;
  const rounds = Math.max(Math.ceil(repositories / pollsInPage), Math.min(clusters, repositories)) * roundsOfPage;
  // A poll that is never due by the clock has a pass of its own a day too.
  const pollLooks = repositories * looksPerDay * daysPerMonth;
  const due = (count: number, work: Work): Work => batched(work, messagesInBatch(count / minutesPerMonth));
  const relayWrites = clusters * relayWritesPerHour * 24 * daysPerMonth;
  return [
    times('builds', images * buildsPerDay * daysPerMonth, buildWork, prices),
    times('daily looks at every object', looks, due(looks, lookWork), prices),
    times('rounds of pages of repositories', rounds, due(rounds, roundWork), prices),
    { what: 'looks at repositories', count: Math.round(polls), cost: polls * pollCost(prices) },
    times('daily passes of their polls', pollLooks, due(pollLooks, pollLookWork), prices),
    {
      what: 'relays say how far they are',
      count: Math.round(relayWrites),
      cost: (relayWrites * prices.storeWritesPerMillion) / million,
    },
    { what: 'table, stored', count: images, cost: ((images * storedBytesPerImage) / gb) * prices.storeGbMonth },
  ];
};

/** A sweep each minute: its invocation, its queries, which need not be consistent, and a look at the dead letters each ten minutes. */
const sweepCost = (prices: Prices): number => {
  const sweeps = daysPerMonth * 24 * 60;
  return (
    (sweeps * prices.lambdaRequestsPerMillion) / million +
    sweeps * passSeconds * passGb * prices.lambdaGbSecond +
    (sweeps * sweepQueries * 0.5 * prices.storeReadsPerMillion) / million +
    ((sweeps / 10) * sqsRows.length * prices.fifoRequestsPerMillion) / million
  );
};

/** What an account costs before anything is done, with so many metrics. */
export const fixedParts = (prices: Prices, howMany: keyof typeof metrics = 'few'): readonly Part[] => {
  const polls = sqsRows.length * emptyPollsPerQueueMonth;
  return [
    { what: `alarms`, count: alarms, cost: alarms * prices.alarmMonth },
    { what: 'metrics', count: metrics[howMany], cost: metrics[howMany] * prices.metricMonth },
    { what: 'key of the alarms’ topic', count: keys, cost: keys * prices.keyMonth },
    {
      what: `empty polls of ${sqsRows.length} queues`,
      count: polls,
      cost: (polls * prices.fifoRequestsPerMillion) / million,
    },
    { what: 'sweeper, each minute', count: Math.round(daysPerMonth * 24 * 60), cost: sweepCost(prices) },
  ];
};

/** All parts together. */
export const totalOf = (parts: readonly Part[]): number => parts.reduce((sum, { cost }) => sum + cost, 0);

/** What the free tier takes off a bill of `fixed` and `variable` parts at most, if nothing else in the account uses it. */
export const freeOf = (free: Free, prices: Prices): number =>
  free.alarms * prices.alarmMonth +
  (free.queueRequests * prices.fifoRequestsPerMillion) / million +
  (free.lambdaRequests * prices.lambdaRequestsPerMillion) / million;

/** A goal of the project: what it is about, what it may cost, what it costs. US dollars. */
export interface Goal {
  readonly what: string;
  readonly most: number;
  readonly is: number;
  readonly isReached: boolean;
}

/** An idle cluster as the goal has it. */
export const idleFleet: Fleet = {
  images: 1000,
  buildsPerDay: 0,
  clusters: 1,
  repositories: 100,
  pollSeconds: 300,
  keptBuilds: 1,
};

/** A pass on the average: of those of a build. */
export const perMillionPasses = (prices: Prices): number => (workCost(buildWork, prices) / buildWork.passes) * million;

/** The goals (DESIGN §6), by list prices and without the free tier. */
export const goals = (prices: Prices, pollSeconds: number): readonly Goal[] => {
  const goal = (what: string, most: number, is: number): Goal => ({ what, most, is, isReached: is <= most });
  const idle = (seconds: number): number => totalOf(variableParts({ ...idleFleet, pollSeconds: seconds }, prices));
  return [
    goal('a million reconciles', 4, perMillionPasses(prices)),
    goal('fixed, an account and month', 8, totalOf(fixedParts(prices))),
    goal(`an idle cluster of 1,000 Images and 100 repositories, polled each ${pollSeconds} s`, 1, idle(pollSeconds)),
    goal('the same with push hooks, polled each hour', 1, idle(3600)),
  ];
};

/** What two pods of kpack in each cluster cost a month, and our relays. */
export const beside = (clusters: number, prices: Prices) => ({
  kpackControllers: clusters * 2 * prices.fargatePodMonth,
  relayInEachCluster: clusters * prices.fargatePodMonth,
  oneRelayForAll: prices.sharedRelayMonth,
});
