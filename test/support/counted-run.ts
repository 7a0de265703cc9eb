/** What runs over the whole system without faults cost: calls of table and queue by process, counted in virtual time (test/chaos). */
import { listedFaults } from '../chaos/faults.ts';
import { type RunReport, run } from '../chaos/run.ts';
import type { TraceLine } from '../chaos/trace.ts';

/** Calls of AWS that cost something. */
export interface Calls {
  /** Batches that a function was invoked with. */
  readonly invocations: number;
  /** Items of the table that were read, each as one consistent read. */
  readonly storeReads: number;
  readonly storeWrites: number;
  /** Of these, those that move an item in the index of due times. */
  readonly dueMoves: number;
  /** Queries of the index `due`. */
  readonly dueQueries: number;
  /** Requests to SQS but those by which Lambda polls while nothing is there. */
  readonly queueRequests: number;
}

const none: Calls = {
  invocations: 0,
  storeReads: 0,
  storeWrites: 0,
  dueMoves: 0,
  dueQueries: 0,
  queueRequests: 0,
};

/** What one line of the trace tells of. Answers are told of in lines of their own, which begin with a blank. */
const callIn = ({ what }: TraceLine): { readonly role: string; readonly call: Partial<Calls> } | undefined => {
  const [role = '', port, name = '', ...rest] = what.split(' ');
  const words = rest.join(' ');
  // What Lambda does of itself: it has received a batch, and deletes it.
  if (role === 'world' && port === 'queue' && name === 'acknowledge')
    return { role: rest[0] ?? '', call: { invocations: 1, queueRequests: 2 } };
  if (port === 'queue') return { role, call: { queueRequests: 1 } };
  if (port === 'index') return { role, call: { dueMoves: 1 } };
  if (port !== 'table') return undefined;
  switch (name) {
    case 'get':
      return { role, call: { storeReads: words.split(', ').length } };
    case 'query':
      return { role, call: { storeReads: 1 } };
    case 'due':
      return { role, call: { dueQueries: 1 } };
    default:
      return { role, call: { storeWrites: 1 } };
  }
};

/** Calls by process: `image`, `build`, … `relay`, `sweeper`. */
export type Counted = Readonly<Record<string, Calls>>;

const countsOf = (trace: readonly TraceLine[], only = /./): Counted => {
  const counts: Record<string, Record<keyof Calls, number>> = {};
  for (const line of trace) {
    if (!only.test(line.what)) continue;
    const isCall = ['read', 'write', 'moved'].includes(line.effect ?? '');
    if (!isCall && !line.what.startsWith('world queue acknowledge')) continue;
    const found = callIn(line);
    if (found === undefined) continue;
    const of = (counts[found.role] ??= { ...none });
    for (const [name, count] of Object.entries(found.call)) of[name as keyof Calls] += count;
  }
  return counts;
};

/** What is done for polls: all that their function does, and of the sweeper what names them. */
const aboutPolls = /^git-poll |^world queue acknowledge git-poll|^sweeper .*(?:GitPoll|git-poll|circuit)/;

/** A run of three Images in three namespaces, or of more, each with a repository of its own, on AWS. */
export const countedRun = async (
  commits: number,
  quietMinutes: number,
  images = 3,
): Promise<{
  readonly report: RunReport;
  readonly counted: Counted;
  readonly ofPolls: Counted;
  readonly polls: number;
}> => {
  const actions = Array.from({ length: commits }, (_, index) => ({
    at: 60_000 + index * 40_000,
    kind: 'commit' as const,
    image: index % 3,
  }));
  const report = await run({
    seed: 1,
    adapter: 'aws',
    images,
    actions,
    faults: listedFaults([]),
    told: /./,
    quietMinutes,
  });
  const polls = report.trace.filter(
    ({ what, effect }) => effect !== undefined && what.startsWith('git-poll git LIST'),
  ).length;
  return { report, counted: countsOf(report.trace), ofPolls: countsOf(report.trace, aboutPolls), polls };
};

/** All calls of some processes. */
export const sumOf = (counted: Counted, ...roles: readonly string[]): Calls => {
  const sum: Record<keyof Calls, number> = { ...none };
  for (const role of roles)
    for (const [name, count] of Object.entries(counted[role] ?? none)) sum[name as keyof Calls] += count;
  return sum;
};

/** What the second has more than the first, for each of `units`. */
export const eachOf = (before: Calls, after: Calls, units: number): Calls =>
  Object.fromEntries(
    Object.entries(after).map(([name, count]) => [name, (count - before[name as keyof Calls]) / units]),
  ) as unknown as Calls;
