/** Which sources are polled, under which shared key, and how often (spec 02 §8.4, DESIGN §3.17). */
import { createHash } from 'node:crypto';
import type { GitRevisionType, ResolvedSourceConfig } from '../api/source-config.ts';
import { type GitUrl, normalGitUrl } from '../git/url.ts';
import { type Message, timeOfDue } from '../queue/message.ts';
import { type Dependency, phaseOf, type TargetKey } from '../state/keys.ts';
import { pageIn, pageOf } from '../state/poll-pages.ts';

/** Kind of the shared poll's record and queue. It is no API object. */
export const GIT_POLL_KIND = 'GitPoll';

/** How often repositories are listed; kpack's interval is a minute. */
export interface PollSettings {
  readonly intervalSeconds: number;
}

/** kpack's interval. */
export const defaultPollSettings: PollSettings = { intervalSeconds: 60 };

/** Longest wait between two tries of a failing repository, in seconds. */
const MAX_BACK_OFF_SECONDS = 600;

/** Can a revision of this type come to mean another commit? Branches and tags only (spec 01 §3.3). */
export const canMove = (type: GitRevisionType): boolean => type === 'Branch' || type === 'Tag';

/** Can the source move without its spec changing? Blobs and images are never polled. */
export const isPollable = ({ git }: ResolvedSourceConfig): boolean => git !== undefined && canMove(git.type);

/** Who asks: the first part of what makes two polls one. */
export interface Asker {
  readonly namespace: string;
  /** The SourceResolver; it has a poll of its own when its URL carries credentials. */
  readonly name: string;
  /** Secret whose credentials are used; undefined asks as anybody. */
  readonly secretName: string | undefined;
  /** An interval of its own, in seconds, 0 for never; undefined shares the installation's. */
  readonly intervalSeconds?: number | undefined;
}

const credentialPart = (url: GitUrl, { namespace, name, secretName }: Asker): string => {
  if (secretName !== undefined) return `secret/${namespace}/${secretName}`;
  // Whatever is written into a URL may be a secret: it must not become part of a key, and nobody else may share its poll.
  return url.embedded === undefined && url.query === '' ? 'anonymous' : `own/${namespace}/${name}`;
};

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

/**
 * The shared poll of a repository: same URL (however spelt), same namespace, same Secret or none, same interval. It is named by a digest, so
 * neither URL nor Secret can be read from it. Namespaces never share one, not even where all may look: followers that come and go in one
 * would hold up the polls of the others (DESIGN §3.17).
 */
export const gitPollFor = (url: GitUrl, asker: Asker): Dependency => {
  const credential = credentialPart(url, asker);
  const place = normalGitUrl({ ...url, query: credential.startsWith('own/') ? '' : url.query });
  const interval = asker.intervalSeconds === undefined ? '' : `\nevery ${asker.intervalSeconds} s`;
  return {
    kind: GIT_POLL_KIND,
    namespace: asker.namespace,
    name: digest(`${place}\n${credential}${interval}`).slice(0, 40),
  };
};

/** What a SourceResolver depends on for one revision of a polled repository: only those whose revision moved are woken. */
export const revisionOf = (poll: Dependency, revision: string): Dependency => ({
  ...poll,
  name: `${poll.name}.${digest(revision).slice(0, 32)}`,
});

/** A row that is never polled, and one in a page, is looked at once a day, for followers that are gone. */
const NEVER_SECONDS = 86_400;

/** The binary digits of a number behind the point, in reverse: however many of 0, 1, 2 … there are, they lie evenly in [0, 1) (van der Corput). */
const evenly = (number: number): number => {
  let [sum, part] = [0, 0.5];
  for (let rest = number; rest > 0; rest = Math.floor(rest / 2)) {
    sum += (rest % 2) * part;
    part /= 2;
  }
  return sum;
};

/** The moment of a poll, or of a page of polls, in every interval, in [0, 1). */
const momentOf = (target: TargetKey): number => {
  const at = pageIn(target);
  if (at === undefined) return phaseOf(target);
  return (phaseOf(pageOf(target, at.intervalSeconds, 0)) + evenly(at.page)) % 1;
};

/**
 * When a repository is listed next after one listing that worked, in Unix seconds: each poll, and each page of them, has a moment of its own in every
 * interval, so that a hundred thousand are spread over it evenly, also when all of them were woken at once. Not within a twentieth of the interval: what is late waits for the next.
 */
export const nextPollAt = (poll: TargetKey, { intervalSeconds }: PollSettings, now: number): number => {
  const interval = intervalSeconds === 0 ? NEVER_SECONDS : intervalSeconds;
  const phase = Math.floor(momentOf(poll) * interval);
  const earliest = now + Math.max(1, Math.floor(interval / 20));
  return Math.ceil((earliest - phase) / interval) * interval + phase;
};

/** Sweeps that come within less would send a poll again that is just being worked on. */
const SHORTEST_MOVED_SECONDS = 60;

/**
 * Where a sweep moves the due time of a page of polls, or of a poll by itself, that it has sent: to its next moment, as its pass will, which then need not
 * change it. That of a poll is known at the installation's interval alone. Undefined for other kinds, for what is so frequent that it may be under way still,
 * and for a poll that is so rare that ten minutes are right.
 */
export const movedPollAt = (target: TargetKey, settings: PollSettings, now: number): number | undefined => {
  const page = target.kind === GIT_POLL_KIND ? pageIn(target) : undefined;
  const { intervalSeconds } = page ?? settings;
  const isUsual =
    intervalSeconds >= SHORTEST_MOVED_SECONDS && (page !== undefined || intervalSeconds <= MAX_BACK_OFF_SECONDS);
  return target.kind === GIT_POLL_KIND && isUsual ? nextPollAt(target, { intervalSeconds }, now) : undefined;
};

/** A poll in a page is looked after by a pass of its own once a day, or as often as it is listed if that is more rarely. In Unix seconds; `random` in [0, 1). */
export const nextLookAt = ({ intervalSeconds }: PollSettings, now: number, random: number): number =>
  now + Math.floor(Math.max(NEVER_SECONDS, intervalSeconds) * (0.75 + 0.25 * random));

/** Where push hooks are heard of, nobody need look often: so rarely, for so long after the last that was heard. Seconds. */
const HOOKED_INTERVAL_SECONDS = 3600;
const HOOKED_FOR_SECONDS = 30 * 86_400;
/** A listing so shortly after a hook may find what the host did not show with it. */
const HOOK_SHOWN_SECONDS = 300;

/** How often a repository is listed that was last listed because of a hook at `hookedAt`; an interval that somebody asked for stands. */
export const paceWithHooks = (
  pace: PollSettings,
  {
    isAsked,
    hookedAt,
    now,
  }: { readonly isAsked: boolean; readonly hookedAt: number | undefined; readonly now: number },
): PollSettings => {
  const isHooked = hookedAt !== undefined && now - hookedAt < HOOKED_FOR_SECONDS;
  if (isAsked || !isHooked || pace.intervalSeconds === 0) return pace;
  return { intervalSeconds: Math.max(HOOKED_INTERVAL_SECONDS, pace.intervalSeconds) };
};

/** Whether hooks have failed: a listing that no hook asked for has found a move, and the last hook is long past. */
export const isHookMissed = (hookedAt: number | undefined, now: number): boolean =>
  hookedAt !== undefined && now - hookedAt > HOOK_SHOWN_SECONDS;

/**
 * Whether a listing is needless that only times that have come ask for, as there was one since and all that followed from it is done: so whoever was sent
 * twice, because many others were before him, lists once. `dues` are those times; undefined when something else asks.
 */
export const isListedSince = (
  { askedAt, isWaking }: { readonly askedAt: number | undefined; readonly isWaking: boolean },
  dues: readonly number[] | undefined,
): boolean => dues !== undefined && askedAt !== undefined && !isWaking && dues.every((dueAt) => dueAt < askedAt);

/** The times that have come; undefined when there is another reason to list. */
export const timesOf = (messages: readonly Pick<Message, 'occasion' | 'reason'>[]): readonly number[] | undefined => {
  const times = messages.map(({ reason, occasion }) => (reason === 'due' ? timeOfDue(occasion) : undefined));
  return times.includes(undefined) ? undefined : times.filter((time) => time !== undefined);
};

/** A repository that is never polled is tried again this often when the listing that a hook asked for fails. */
const TRIES_AFTER_HOOK = 8;

/** Is the repository listed now? One that is never polled only for a hook, or while the listing for a hook fails. */
export const isListedNow = (
  { intervalSeconds }: PollSettings,
  { isHooked, attempts }: { readonly isHooked: boolean; readonly attempts: number },
): boolean => intervalSeconds > 0 || isHooked || (attempts > 0 && attempts < TRIES_AFTER_HOOK);

/**
 * Seconds to the next try after `attempts` failures in a row: doubling from the interval (a minute when there is none), at most ten
 * minutes or the interval, or what the host asks for.
 */
export const secondsToNextTry = (
  { intervalSeconds }: PollSettings,
  attempts: number,
  random: number,
  retryAfterSeconds = 0,
): number => {
  const first = intervalSeconds === 0 ? defaultPollSettings.intervalSeconds : intervalSeconds;
  const backOff = Math.min(Math.max(MAX_BACK_OFF_SECONDS, first), first * 2 ** Math.min(attempts - 1, 10));
  return Math.max(1, backOff * (0.9 + 0.1 * random), retryAfterSeconds);
};
