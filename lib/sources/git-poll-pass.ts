/** One pass of a shared poll: list a repository once, wake the SourceResolvers whose revision moved (DESIGN §3.17). */
import type { SourceResolver } from '../api/source-resolver.ts';
import { ExpectedError } from '../errors/expected.ts';
import { GitError, isTransient } from '../git/errors.ts';
import type { GitRef } from '../git/refs.ts';
import { isKubeError, KubeError, saysClusterIsDown } from '../kube/errors.ts';
import { inParallel } from '../oci/in-parallel.ts';
import type { Message } from '../queue/message.ts';
import { freshDueAt } from '../reconcile/due.ts';
import { queueOf } from '../reconcile/kind-table.ts';
import { sayError } from '../reconcile/log.ts';
import { clusterScope, type Dependency, type TargetKey } from '../state/keys.ts';
import { type Answer, fitsRow, type PollPages, pageIn } from '../state/poll-pages.ts';
import type { PollEntry, PollResult, PollRow, Polls } from '../state/polls.ts';
import { isSettled, type Listed, listedIn, parseFailure, showFailure, tellsFollowers } from './git-poll.ts';
import { type PollPagePorts, pollPageRunner, type RoundResult } from './poll-page-pass.ts';
import { listPlace, type Place, placeIn } from './poll-place.ts';
import {
  GIT_POLL_KIND,
  isHookMissed,
  isListedNow,
  isListedSince,
  nextLookAt,
  nextPollAt,
  type PollSettings,
  paceWithHooks,
  revisionOf,
  secondsToNextTry,
  timesOf,
} from './polling.ts';
import { carryOn } from './wake-place.ts';

/** What a poll needs from outside. */
export interface GitPollPorts extends Omit<PollPagePorts, 'circuits' | 'pages' | 'polls'> {
  readonly polls: Pick<
    Polls,
    | 'atPlace'
    | 'drop'
    | 'entries'
    | 'finish'
    | 'followers'
    | 'forget'
    | 'joinPage'
    | 'offerToHooks'
    | 'owe'
    | 'park'
    | 'read'
    | 'saveFound'
    | 'saveResult'
    | 'settle'
  >;
  readonly pages: PollPagePorts['pages'] & Pick<PollPages, 'enter' | 'growIfFull' | 'leave'>;
  readonly circuits: PollPagePorts['circuits'];
  readonly random: () => number;
}

/** What became of a poll: nobody follows it, nothing or something moved, or it could not be done. */
export type GitPollResult = RoundResult | 'failed';

/** Followers read from the store at once. */
const PAGE = 100;
/** Revisions read from the store at once, and looked after at once. */
const ENTRIES_PAGE = 250;
const AT_ONCE = 10;
/** How many stale followers are tried before giving up until the next poll; their edges go within ten minutes. */
const CANDIDATES = 5;

/** A host that sends its hook before it shows the push is asked again after this time, however rare polls are. */
const HOOK_AGAIN_SECONDS = 30;
/** However many hooks come for it, a repository is listed for them once in so long; none is lost. */
const HOOK_APART_SECONDS = 3;

const seconds = (date: Date): number => Math.floor(date.getTime() / 1000);

/** One poll under way. */
interface Run {
  readonly target: TargetKey;
  readonly row: PollRow;
  readonly entries: readonly PollEntry[];
  /** Names of the pages in which it may lie. */
  readonly pages: Set<string>;
  readonly epoch: string;
  /** A push hook says that something moved. */
  readonly isHooked: boolean;
  /** Its page has found that it is not as before, or that it was not looked after for a day. */
  readonly isLookedAfter: boolean;
  readonly now: Date;
  /** The due time so many seconds from now. */
  readonly dueIn: (waitSeconds: number) => number;
  readonly signal: AbortSignal;
}

/** How a poll with which nothing is the matter ends. */
interface Rest {
  readonly listed: readonly Listed[];
  readonly place: Place;
  readonly result: Omit<PollResult, 'dueAt'>;
  /** When it is due by itself, should no page take it. */
  readonly dueAt: number;
}

const isAnotherHour = (a: number, b: number): boolean => Math.floor(a / 3600) !== Math.floor(b / 3600);

const hookedAtOf = ({ isHooked, now }: Run): number | undefined => (isHooked ? seconds(now) : undefined);

const revisionsOf = (entries: readonly PollEntry[]): readonly string[] => entries.map(({ revision }) => revision);

const dependencyFor = ({ target: { kind, namespace, name } }: Run, revision: string): Dependency =>
  revisionOf({ kind, namespace, name }, revision);

/** Where everybody saw everything; undefined when somebody is behind, or a row of a page has no room for it. */
const answersOf = (listed: readonly Listed[]): readonly Answer[] | undefined => {
  const answers = listed.map(({ entry, now }): Answer => [entry.revision, now]);
  return fitsRow(answers) ? answers : undefined;
};

/** The pages whose rounds have woken the poll. */
const pagesThatWoke = (messages: readonly Message[]): readonly string[] =>
  messages.flatMap(({ cause: { kind, namespace, name } }) =>
    kind === GIT_POLL_KIND && pageIn({ namespace, name }) !== undefined ? [name] : [],
  );

/** Makes the pass of the `git-poll` queue. It throws only what is a bug; every failure ends in the row's due time. */
export const gitPollRunner = (ports: GitPollPorts) => {
  const { polls, pages, settings } = ports;
  const round = pollPageRunner(ports);

  const wake = async (run: Run, revision: string): Promise<void> => {
    const { target, epoch, now } = run;
    const cause = { kind: target.kind, namespace: target.namespace, name: target.name, uid: '', resourceVersion: '' };
    const occasion = `${target.name}@${now.getTime()}`;
    let from: string | undefined;
    do {
      const page = await polls.followers(target.cluster, dependencyFor(run, revision), PAGE, from);
      const messages = page.targets.map(
        ({ cluster, ...follower }): Message => ({
          v: 1,
          cluster,
          epoch,
          target: follower,
          cause,
          reason: 'dependency',
          occasion,
        }),
      );
      await ports.sender.send(queueOf('SourceResolver'), messages);
      from = page.next;
    } while (from !== undefined);
  };

  /**
   * What a follower says of this repository; `followed` tells an abandoned row from one whose followers are all stale. Who is abandoned needs no
   * cluster, which may be no more.
   */
  const findPlace = async (run: Run): Promise<{ readonly place?: Place; readonly followed: boolean }> => {
    let tried = 0;
    for (const revision of revisionsOf(run.entries)) {
      const { targets } = await polls.followers(run.target.cluster, dependencyFor(run, revision), CANDIDATES);
      for (const { kind, namespace, name } of targets) {
        const kube = await ports.kube(run.target.cluster, run.signal);
        const resolver = await kube.get<SourceResolver>({ kind, namespace, name });
        const place = placeIn(resolver, { target: run.target, secretName: run.row.secretName }, settings);
        if (place !== undefined) return { place, followed: true };
        tried += 1;
        if (tried >= CANDIDATES) return { followed: true };
      }
    }
    return { followed: tried > 0 };
  };

  /** Were followers told of the failures that end now? Then they are told that it is over. */
  const toldOfFailure = ({ attempts, failure }: PollRow): boolean => {
    if (attempts === 0) return false;
    const code = parseFailure(failure)?.code;
    const pace = code !== undefined && isTransient(code) ? 'soon' : 'slow';
    return Array.from({ length: attempts }, (_, index) => index + 1).some((attempt) =>
      tellsFollowers({ pace }, attempt),
    );
  };

  /** Takes the poll out of pages in which it may lie, once it is due by itself or in another. */
  const leave = async ({ target, pages: names }: Pick<Run, 'pages' | 'target'>): Promise<void> => {
    for (const name of names) await pages.leave({ ...target, namespace: '', name }, target);
  };

  /**
   * Everybody has seen `listed`: the poll goes into a page, and is due with that. One that does not fit, or that somebody has begun to follow meanwhile, is
   * due by itself at `dueAt`.
   */
  const rest = async (run: Run, { listed, place, result, dueAt }: Rest): Promise<void> => {
    const { target, row, now } = run;
    const answers = answersOf(listed);
    const at = seconds(now);
    const hookedAt = result.hookedAt === 'never' ? undefined : (result.hookedAt ?? row.hookedAt);
    const { follower, isAsked } = place;
    const pace = paceWithHooks(place.settings, { isAsked, hookedAt, now: at });
    if (answers !== undefined && pace.intervalSeconds > 0) {
      const { secretName } = row;
      const lookAt = nextLookAt(pace, at, ports.random());
      const lying = { poll: target, follower, secretName, hookedAt, answers, lookAt };
      const page = await pages.enter(lying, pace.intervalSeconds, (fresh) => nextPollAt(fresh, pace, at));
      if (await polls.joinPage(target, row, page.name, result)) {
        const isNew = !run.pages.delete(page.name);
        if (isNew) await pages.growIfFull(page, at);
        return leave(run);
      }
      run.pages.add(page.name);
    }
    await polls.saveResult(target, { ...result, dueAt });
    await leave(run);
  };

  const answered = async (
    run: Run,
    refs: readonly GitRef[],
    place: Place,
    pace: PollSettings,
  ): Promise<GitPollResult> => {
    const { target, row, entries, now } = run;
    const listed = listedIn(entries, refs);
    const isOver = toldOfFailure(row);
    const toWake = listed.filter((each) => isOver || !isSettled(each));
    const missed = toWake.some(({ entry, now: found }) => entry.found !== undefined && entry.found !== found);
    const isMissed = missed && !run.isHooked && isHookMissed(row.hookedAt, seconds(now));
    const wait = nextPollAt(target, isMissed ? settings : pace, seconds(now)) - seconds(now);
    const isEarly = run.isHooked && toWake.length === 0;
    const dueAt = run.dueIn(isEarly ? Math.min(wait, HOOK_AGAIN_SECONDS) : wait);
    const result = {
      askedAt: seconds(now),
      hookedAt: isMissed ? 'never' : hookedAtOf(run),
      attempts: 0,
      failure: undefined,
    } as const;
    const isNews = ({ entry, now: found }: Listed): boolean => entry.found !== found;
    await inParallel(listed.filter(isNews), AT_ONCE, ({ entry, now: found }) => polls.saveFound(target, entry, found));
    const resting = { listed, place, result, dueAt };
    if (toWake.length === 0 && isEarly) {
      await polls.saveResult(target, { ...result, dueAt });
      await leave(run);
      return 'unchanged';
    }
    if (toWake.length === 0) {
      await rest(run, resting);
      return 'unchanged';
    }
    await polls.saveResult(target, result);
    let areAllSettled = true;
    // What followers saw is replaced only after they were woken: dying in between wakes them once more, never not at all.
    await inParallel(toWake, AT_ONCE, async (each) => {
      await wake(run, each.entry.revision);
      if (!isSettled(each) && !(await polls.settle(target, each.entry, each.now))) areAllSettled = false;
    });
    if (areAllSettled) await rest(run, resting);
    else {
      await polls.finish(target, dueAt);
      await leave(run);
    }
    return 'moved';
  };

  const failed = async (run: Run, error: ExpectedError, pace: PollSettings): Promise<GitPollResult> => {
    const { target, row, entries, now } = run;
    const attempts = row.attempts + 1;
    const wait = secondsToNextTry(pace, attempts, ports.random(), error.retryAfterSeconds);
    const dueAt = run.dueIn(wait);
    ports.log('warn', 'repository could not be listed', { ...target, attempts, why: sayError(error) });
    const failure = error instanceof GitError ? showFailure(error) : undefined;
    await polls.saveResult(target, { askedAt: seconds(now), hookedAt: hookedAtOf(run), attempts, failure });
    const concernsFollowers = error instanceof GitError || isKubeError(error, 'forbidden');
    if (concernsFollowers && tellsFollowers(error, attempts))
      await inParallel(revisionsOf(entries), AT_ONCE, (revision) => wake(run, revision));
    await polls.finish(target, dueAt);
    await leave(run);
    return 'failed';
  };

  /**
   * Once an hour, and when its page wants it looked after, revisions that nobody follows any more are dropped, so that they cost neither listing nor space, and hooks are told
   * of the row again, should a death have come between the two.
   */
  const tidy = async (run: Run): Promise<Run> => {
    const { row, entries, target, now } = run;
    if (row.askedAt === undefined || !(run.isLookedAfter || isAnotherHour(row.askedAt, seconds(now)))) return run;
    if (row.place !== undefined) await polls.offerToHooks(target, row.place);
    const unfollowed = new Set<PollEntry>();
    await inParallel(entries, AT_ONCE, async (entry) => {
      const { targets } = await polls.followers(target.cluster, dependencyFor(run, entry.revision), 1);
      if (targets.length === 0) unfollowed.add(entry);
    });
    // A row without any follower is given up as a whole.
    if (unfollowed.size === entries.length) return run;
    await inParallel([...unfollowed], AT_ONCE, async (entry) => void (await polls.drop(target, entry)));
    return { ...run, entries: entries.filter((entry) => !unfollowed.has(entry)) };
  };

  const allEntries = async (target: TargetKey): Promise<readonly PollEntry[]> => {
    const all: PollEntry[] = [];
    let from: string | undefined;
    do {
      const page = await polls.entries(target, ENTRIES_PAGE, from);
      all.push(...page.entries);
      from = page.next;
    } while (from !== undefined);
    return all;
  };

  const poll = async (run: Run): Promise<GitPollResult> => {
    const { target, row, now } = run;
    const { place, followed } = await findPlace(run);
    if (followed) await ports.circuits.succeeded(clusterScope(target.cluster), seconds(now));
    if (!followed) {
      if (await polls.forget(target, row, run.entries)) await leave(run);
      return 'abandoned';
    }
    if (place === undefined) {
      await polls.finish(target, run.dueIn(settings.intervalSeconds));
      await leave(run);
      return 'parked';
    }
    const pace = paceWithHooks(place.settings, { isAsked: place.isAsked, hookedAt: row.hookedAt, now: seconds(now) });
    const atNext = run.dueIn(nextPollAt(target, pace, seconds(now)) - seconds(now));
    if (!isListedNow(pace, { isHooked: run.isHooked, attempts: row.attempts })) {
      await polls.finish(target, atNext);
      await leave(run);
      return 'parked';
    }
    try {
      const kube = await ports.kube(target.cluster, run.signal);
      const polled = { target, secretName: row.secretName };
      const asked = { kube, revisions: revisionsOf(run.entries), now, signal: run.signal };
      return await answered(run, await listPlace(ports, polled, place, asked), place, pace);
    } catch (error) {
      if (!(error instanceof GitError)) throw error;
      return failed(run, error, pace);
    }
  };

  return async (target: TargetKey, messages: readonly Message[], budgetSeconds: number): Promise<GitPollResult> => {
    if (pageIn(target) !== undefined) return round(target, messages, budgetSeconds);
    await carryOn(ports, target, messages);
    const row = await polls.read(target);
    const woke = pagesThatWoke(messages);
    const lying = new Set([...woke, ...(row?.page === undefined ? [] : [row.page])]);
    if (row === undefined) {
      await leave({ target, pages: lying });
      return 'abandoned';
    }
    const isHooked = row.isOwed || messages.some(({ reason }) => reason === 'hook');
    // A host that asks to be left alone is not asked for every push: what it is due for stays.
    const isThrottled = row.attempts > 0 && parseFailure(row.failure)?.code === 'throttled';
    if (isThrottled && messages.every(({ reason }) => reason === 'hook')) return 'parked';
    const now = ports.clock();
    const nextHookAt = (row.hookedAt ?? 0) + HOOK_APART_SECONDS;
    if (nextHookAt > seconds(now) && messages.every(({ reason }) => reason === 'hook')) {
      await polls.owe(target, nextHookAt);
      return 'parked';
    }
    if (!isHooked && isListedSince(row, timesOf(messages))) return 'unchanged';
    const dueIn = (waitSeconds: number): number => freshDueAt(seconds(now), waitSeconds, messages);
    const admission = await ports.circuits.admit(clusterScope(target.cluster), seconds(now));
    if (!admission.admitted) {
      await polls.park(target, seconds(now), isHooked);
      return 'parked';
    }
    const signal = AbortSignal.timeout(budgetSeconds * 1000);
    const epoch = messages.findLast((message) => message.epoch !== '')?.epoch ?? '';
    const entries = await allEntries(target);
    const run = await tidy({
      target,
      row,
      entries,
      pages: lying,
      isLookedAfter: woke.length > 0,
      epoch,
      isHooked,
      now,
      dueIn,
      signal,
    });
    try {
      return await poll(run);
    } catch (error) {
      if (!(error instanceof ExpectedError)) throw error;
      // This pass may be the probe that everybody waits for: its end must be told, or the cluster stays shut for half a minute.
      if (saysClusterIsDown(error) && !signal.aborted)
        await ports.circuits.failed(clusterScope(target.cluster), seconds(now), error.retryAfterSeconds);
      else if (error instanceof KubeError) await ports.circuits.succeeded(clusterScope(target.cluster), seconds(now));
      return failed(run, error, settings);
    }
  };
};
