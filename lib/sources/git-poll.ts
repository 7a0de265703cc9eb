/** What a shared poll knows, and what a listing changes about it: pure rules (DESIGN §3.17). */
import * as v from 'valibot';
import { GitError, type GitErrorCode } from '../git/errors.ts';
import type { GitRef } from '../git/refs.ts';
import { gitReasons } from './reasons.ts';
import { type ResolvedRevision, refNamesFor, refTable, resolveRevision } from './revision.ts';

/**
 * A revision somebody follows and where that one saw it last; without `seen` it was not there. Two SourceResolvers that saw
 * different commits are two entries, so that the next listing wakes the one that is behind.
 */
export interface Watched {
  readonly revision: string;
  readonly seen: ResolvedRevision | undefined;
}

const ABSENT = '-';
const TYPES = ['Branch', 'Tag', 'Commit', 'Unknown'] as const;

/** An entry as it is stored: `<commit> <type> <revision>`, in which only the revision may hold spaces. */
export const showWatched = ({ revision, seen }: Watched): string =>
  seen === undefined ? `${ABSENT} ${ABSENT} ${revision}` : `${seen.commit} ${seen.type} ${revision}`;

/** Reads what `showWatched` wrote. */
export const parseWatched = (text: string): Watched => {
  const [commit = ABSENT, type = ABSENT, ...words] = text.split(' ');
  const known = TYPES.find((candidate) => candidate === type);
  return { revision: words.join(' '), seen: known === undefined ? undefined : { commit, type: known } };
};

/** Above this many revisions all refs are asked for: the question would be longer than the answer. */
const MANY_REVISIONS = 100;

/** The question for one listing that answers all revisions. */
export const prefixesFor = (revisions: readonly string[]): readonly string[] =>
  revisions.length > MANY_REVISIONS ? ['HEAD', 'refs/'] : [...new Set(revisions.flatMap(refNamesFor))];

/** May a push to `refs` (undefined: unknown ones) have moved one of the revisions? The default branch may be any of them. */
export const mayConcern = (revisions: readonly string[], refs: ReadonlySet<string> | undefined): boolean =>
  revisions.flatMap(refNamesFor).some((name) => refs === undefined || name === 'HEAD' || refs.has(name));

/** Every revision once, where `refs` have it now. */
export const watchedNow = (watched: readonly Watched[], refs: readonly GitRef[]): readonly Watched[] => {
  const table = refTable(refs);
  return [...new Set(watched.map(({ revision }) => revision))].map((revision) => ({
    revision,
    seen: resolveRevision(revision, table),
  }));
};

const isSame = (a: ResolvedRevision | undefined, b: ResolvedRevision | undefined): boolean =>
  a?.commit === b?.commit && a?.type === b?.type;

/** The revisions that at least one follower saw elsewhere than they are now: moved, deleted or appeared. */
export const movedRevisions = (before: readonly Watched[], now: readonly Watched[]): readonly string[] => {
  const had = Map.groupBy(before, ({ revision }) => revision);
  return now
    .filter(({ revision, seen }) => had.get(revision)?.some((one) => !isSame(one.seen, seen)) === true)
    .map(({ revision }) => revision);
};

/** How the last listing failed. */
export interface PollFailure {
  readonly code: GitErrorCode;
  readonly message: string;
}

/** The error a follower reports in place of asking the host again. It counts against no circuit: nothing was dialled. */
export const failureAsError = ({ code, message }: PollFailure): GitError => new GitError(code, message, { host: '' });

/** Failures in a row after which followers are told of an outage: a short one disturbs nobody. */
const OUTAGE_FAILURES = 3;

/**
 * Are followers to be told of this failure? Once per row of failures: at once of a refusal, after a while of an outage.
 * `attempts` counts this failure too.
 */
export const tellsFollowers = ({ pace }: Pick<GitError, 'pace'>, attempts: number): boolean =>
  attempts === (pace === 'slow' ? 1 : OUTAGE_FAILURES);

const isCode = (text: unknown): text is GitErrorCode => typeof text === 'string' && Object.hasOwn(gitReasons, text);
const failureSchema = v.object({ code: v.custom<GitErrorCode>(isCode), message: v.string() });

/** A failure as it is stored. */
export const showFailure = ({ code, message }: PollFailure): string => JSON.stringify({ code, message });

/** Reads what `showFailure` wrote; undefined for anything else. */
export const parseFailure = (text: string | undefined): PollFailure | undefined => {
  if (text === undefined) return undefined;
  try {
    const parsed = v.safeParse(failureSchema, JSON.parse(text));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
};
