/** One pass of a shared poll: list a repository once, wake the SourceResolvers whose revision moved (DESIGN §3.17). */
import type { SourceResolver } from '../api/source-resolver.ts';
import { ExpectedError, PermanentError } from '../errors/expected.ts';
import { GitError, isTransient } from '../git/errors.ts';
import type { GitRef } from '../git/refs.ts';
import { type GitUrl, parseGitUrl } from '../git/url.ts';
import type { KubeClient } from '../kube/client.ts';
import { isKubeError, KubeError, saysClusterIsDown } from '../kube/errors.ts';
import { inParallel } from '../oci/in-parallel.ts';
import { type Message, timeOfDue } from '../queue/message.ts';
import type { Sender } from '../queue/send.ts';
import { freshDueAt } from '../reconcile/due.ts';
import { queueOf } from '../reconcile/kind-table.ts';
import { type Log, sayError } from '../reconcile/log.ts';
import type { Circuits } from '../state/circuits.ts';
import { clusterScope, type Dependency, type TargetKey } from '../state/keys.ts';
import type { PollEntry, PollRow, Polls } from '../state/polls.ts';
import { accountCredentials, namedCredential } from './account-credential.ts';
import { type AskHostPorts, askHost } from './ask-host.ts';
import {
  isSettled,
  type Listed,
  listedIn,
  parseFailure,
  prefixesFor,
  showFailure,
  tellsFollowers,
} from './git-poll.ts';
import { askedSeconds } from './poll-interval.ts';
import {
  gitPollFor,
  isHookMissed,
  isListedNow,
  isListedSince,
  nextPollAt,
  type PollSettings,
  paceWithHooks,
  revisionOf,
  secondsToNextTry,
} from './polling.ts';
import { carryOn } from './wake-place.ts';

/** What a poll needs from outside. */
export interface GitPollPorts extends AskHostPorts {
  readonly polls: Pick<
    Polls,
    | 'atPlace'
    | 'drop'
    | 'entries'
    | 'finish'
    | 'followers'
    | 'forget'
    | 'offerToHooks'
    | 'owe'
    | 'park'
    | 'read'
    | 'saveFound'
    | 'saveResult'
    | 'settle'
  >;
  readonly sender: Sender;
  /** Of clusters. */
  readonly circuits: Pick<Circuits, 'admit' | 'failed' | 'succeeded'>;
  /** The API of a registered cluster. @throws ExpectedError when it is not registered */
  kube(cluster: string, signal: AbortSignal): Promise<Pick<KubeClient, 'get'>>;
  readonly settings: PollSettings;
  readonly clock: () => Date;
  readonly random: () => number;
  readonly log: Log;
}

/** What became of a poll: nobody follows it, nothing or something moved, or it could not be done. */
export type GitPollResult = 'abandoned' | 'failed' | 'moved' | 'parked' | 'unchanged';

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
  readonly epoch: string;
  /** A push hook says that something moved. */
  readonly isHooked: boolean;
  readonly now: Date;
  /** The due time so many seconds from now. */
  readonly dueIn: (waitSeconds: number) => number;
  readonly signal: AbortSignal;
}

const hookedAtOf = ({ isHooked, now }: Run): number | undefined => (isHooked ? seconds(now) : undefined);

const revisionsOf = (entries: readonly PollEntry[]): readonly string[] => entries.map(({ revision }) => revision);

const dependencyFor = ({ target: { kind, namespace, name } }: Run, revision: string): Dependency =>
  revisionOf({ kind, namespace, name }, revision);

/** What a follower says of the repository; the row itself stores neither. */
interface Place {
  readonly url: GitUrl;
  readonly settings: PollSettings;
  /** Whose Secrets open the hosts that the URL's host redirects to. */
  readonly serviceAccount: string | undefined;
}

/** The repository's URL and interval if this SourceResolver still asks for them. */
const placeIn = (
  resolver: SourceResolver | undefined,
  { target, row }: Run,
  common: PollSettings,
): Place | undefined => {
  const text = resolver?.spec.source.git?.url;
  if (resolver === undefined || text === undefined) return undefined;
  const { namespace = '', name } = resolver.metadata;
  try {
    const url = parseGitUrl(text);
    const intervalSeconds = askedSeconds(resolver.metadata.annotations);
    const isOurs =
      gitPollFor(url, { namespace, name, secretName: row.secretName, intervalSeconds }).name === target.name;
    const settings = intervalSeconds === undefined ? common : { intervalSeconds };
    return isOurs ? { url, settings, serviceAccount: resolver.spec.serviceAccount } : undefined;
  } catch (error) {
    if (error instanceof PermanentError) return undefined;
    throw error;
  }
};

/** The times that have come; undefined when there is another reason to list. */
const timesOf = (messages: readonly Message[]): readonly number[] | undefined => {
  const times = messages.map(({ reason, occasion }) => (reason === 'due' ? timeOfDue(occasion) : undefined));
  return times.includes(undefined) ? undefined : times.filter((time) => time !== undefined);
};

/** Makes the pass of the `git-poll` queue. It throws only what is a bug; every failure ends in the row's due time. */
export const gitPollRunner = (ports: GitPollPorts) => {
  const { polls, settings } = ports;

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
        const place = placeIn(await kube.get<SourceResolver>({ kind, namespace, name }), run, settings);
        if (place !== undefined) return { place, followed: true };
        tried += 1;
        if (tried >= CANDIDATES) return { followed: true };
      }
    }
    return { followed: tried > 0 };
  };

  const list = async (
    run: Run,
    { url, serviceAccount }: Place,
    kube: Pick<KubeClient, 'get'>,
  ): Promise<readonly GitRef[]> => {
    const { secretName } = run.row;
    const credential =
      secretName === undefined ? undefined : await namedCredential(kube, run.target.namespace, secretName, url);
    if (secretName !== undefined && credential === undefined) {
      throw new GitError(
        'unauthorized',
        `Secret ${secretName} is gone or no longer speaks of ${url.authority}; put it back, or another annotated kpack.io/git: ${url.authority}`,
        {
          host: url.authority,
          heard: 'undialled',
        },
      );
    }
    const prefixes = prefixesFor(revisionsOf(run.entries));
    const credentialOf = accountCredentials(kube, run.target.namespace, serviceAccount);
    const question = { url, credential, credentialOf, prefixes };
    return askHost(ports, question, { tenant: run.target, now: run.now }, run.signal);
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

  const answered = async (run: Run, refs: readonly GitRef[], pace: PollSettings): Promise<GitPollResult> => {
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
    if (toWake.length === 0) {
      await polls.saveResult(target, { ...result, dueAt });
      return 'unchanged';
    }
    await polls.saveResult(target, result);
    // What followers saw is replaced only after they were woken: dying in between wakes them once more, never not at all.
    await inParallel(toWake, AT_ONCE, async (each) => {
      await wake(run, each.entry.revision);
      if (!isSettled(each)) await polls.settle(target, each.entry, each.now);
    });
    await polls.finish(target, dueAt);
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
    return 'failed';
  };

  /**
   * Once an hour, revisions that nobody follows any more are dropped, so that they cost neither listing nor space, and hooks are told
   * of the row again, should a death have come between the two.
   */
  const tidy = async (run: Run): Promise<Run> => {
    const { row, entries, target, now } = run;
    if (row.askedAt === undefined || Math.floor(row.askedAt / 3600) === Math.floor(seconds(now) / 3600)) return run;
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
      await polls.forget(target, row, run.entries);
      return 'abandoned';
    }
    if (place === undefined) {
      await polls.finish(target, run.dueIn(settings.intervalSeconds));
      return 'parked';
    }
    const isAsked = place.settings !== settings;
    const pace = paceWithHooks(place.settings, { isAsked, hookedAt: row.hookedAt, now: seconds(now) });
    const atNext = run.dueIn(nextPollAt(target, pace, seconds(now)) - seconds(now));
    if (!isListedNow(pace, { isHooked: run.isHooked, attempts: row.attempts })) {
      await polls.finish(target, atNext);
      return 'parked';
    }
    try {
      const kube = await ports.kube(target.cluster, run.signal);
      return await answered(run, await list(run, place, kube), pace);
    } catch (error) {
      if (!(error instanceof GitError)) throw error;
      return failed(run, error, pace);
    }
  };

  return async (target: TargetKey, messages: readonly Message[], budgetSeconds: number): Promise<GitPollResult> => {
    await carryOn(ports, target, messages);
    const row = await polls.read(target);
    if (row === undefined) return 'abandoned';
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
    const run = await tidy({ target, row, entries, epoch, isHooked, now, dueIn, signal });
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
