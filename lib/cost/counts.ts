/**
 * What a unit of work takes: calls of AWS, counted by the suite over the whole system in virtual time (test/unit/cost/counts.test.ts fails when they
 * drift by more than a tenth). Sizes are far below one unit of a price: an item has less than 1 KB, a message less than 64.
 */

/** Calls of AWS that cost something. */
export interface Work {
  /** Passes of objects. */
  readonly passes: number;
  /** Batches that functions are invoked with. */
  readonly invocations: number;
  /** Consistent reads of an item. */
  readonly storeReads: number;
  /** Writes of an item. */
  readonly storeWrites: number;
  /** Of these, those that move a due time: each is two writes of the index, as the old place goes and the new one comes. */
  readonly dueMoves: number;
  /** Requests to SQS, with those by which Lambda receives and deletes. */
  readonly queueRequests: number;
}

/** From a commit that a poll has found to the end of its Build: all passes of Image, SourceResolver and Build, and what the relay tells of them. */
export const buildWork: Work = {
  passes: 19,
  invocations: 18,
  storeReads: 33.7,
  storeWrites: 14.7,
  dueMoves: 6.9,
  queueRequests: 48.6,
};

/** A round of a page of repositories that have not changed, with what the sweeper does for it: without what each of them adds. */
export const roundWork: Work = {
  passes: 1,
  invocations: 1,
  storeReads: 4.6,
  storeWrites: 2,
  dueMoves: 1,
  queueRequests: 3,
};

/** What each repository of a page adds to a round: the most, of one that is alone in its namespace. Hosts are looked up once for all, and few. */
export const pollWork: Work = {
  passes: 0,
  invocations: 0,
  storeReads: 1.1,
  storeWrites: 0,
  dueMoves: 0,
  queueRequests: 0,
};

/** A row of a page: a query of many is billed by their bytes, 4096 a read. */
export const pageRowBytes = 400;

/** Seconds of a function that each repository adds to a round, of `passGb`: 0.009 measured with the bundle, a hundred in the page and hosts that answer after 150 ms (`npm run bench -- --only invoke`). */
export const pollSeconds = 0.01;

/** Repositories in a page where there are more than one holds: pages are doubled when one has more than 100 (lib/state/poll-pages.ts). */
export const pollsInPage = 50;

/** The daily pass of a poll in a page, which its round wakes. */
export const pollLookWork: Work = {
  passes: 1,
  invocations: 1,
  storeReads: 9,
  storeWrites: 3,
  dueMoves: 0,
  queueRequests: 3,
};

/** The daily look at an object with which nothing is the matter, alone in its batch. */
export const lookWork: Work = {
  passes: 1,
  invocations: 1,
  storeReads: 1,
  storeWrites: 1,
  dueMoves: 1,
  queueRequests: 3,
};

/** Writes an hour by which a relay says how far the watches of its cluster are. */
export const relayWritesPerHour = 120;

/** A pass of lib/sweeper: a query for each shard of the index. */
export const sweepQueries = 16;

/** Looks at an object each day: due times are spread over the last quarter of a day (lib/reconcile/due.ts). */
export const looksPerDay = 1 / 0.875;

/** A function's warm pass, in seconds and GB: measured with bundles on one core of a laptop, never on Lambda. */
export const passSeconds = 0.12;
export const passGb = 0.5;
/** What a pass logs, in bytes. */
export const passLogBytes = 500;

/** Lambda asks an idle queue with five pollers, each for 20 s at a time. */
export const emptyPollsPerQueueMonth = 648_000;
/** The most messages that a function is invoked with. */
export const fullBatch = 10;

/** Alarms of infra/alarms.yml, and keys. */
export const alarms = 19;
export const keys = 1;

/** Metrics that are sent while anything happens, by how many are wanted (docs/metrics.md): `Passes`, `Builds`; or every combination that occurs where all is used. */
export const metrics = { few: 2, all: 85 } as const;

/** Bytes of the table for an Image with its SourceResolver and one Build: records, edges, poll. */
export const storedBytesPerImage = 6000;
