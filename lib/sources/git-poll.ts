/** What a shared poll knows, and what a listing changes about it: pure rules (DESIGN §3.17). */
import * as v from 'valibot';
import { GitError, type GitErrorCode } from '../git/errors.ts';
import type { GitRef } from '../git/refs.ts';
import type { PollEntry } from '../state/polls.ts';
import { printableLines } from '../text/printable.ts';
import { gitReasons } from './reasons.ts';
import { type ResolvedRevision, refNamesFor, refTable, resolveRevision } from './revision.ts';

const ABSENT = '-';
const TYPES = ['Branch', 'Tag', 'Commit', 'Unknown'] as const;

/** Where a revision is, as it is stored: `<commit> <type>`, or `-` when the repository has nothing of that name. */
export const showSeen = (seen: ResolvedRevision | undefined): string =>
  seen === undefined ? ABSENT : `${seen.commit} ${seen.type}`;

/** Reads what `showSeen` wrote. */
export const parseSeen = (text: string): ResolvedRevision | undefined => {
  const [commit = ABSENT, type = ABSENT] = text.split(' ');
  const known = TYPES.find((candidate) => candidate === type);
  return known === undefined ? undefined : { commit, type: known };
};

/** Above this many revisions all refs are asked for: the question would be longer than the answer. */
const MANY_REVISIONS = 100;

/** The question for one listing that answers all revisions. */
export const prefixesFor = (revisions: readonly string[]): readonly string[] =>
  revisions.length > MANY_REVISIONS ? ['HEAD', 'refs/'] : [...new Set(revisions.flatMap(refNamesFor))];

/** May a push to `refs` (undefined: unknown ones) have moved one of the revisions? The default branch may be any of them. */
export const mayConcern = (revisions: readonly string[], refs: ReadonlySet<string> | undefined): boolean =>
  revisions.flatMap(refNamesFor).some((name) => refs === undefined || name === 'HEAD' || refs.has(name));

/** A revision that is followed, and where a listing has it now, as `showSeen` writes it. */
export interface Listed {
  readonly entry: PollEntry;
  readonly now: string;
}

/** Every revision, where `refs` have it now. */
export const listedIn = (entries: readonly PollEntry[], refs: readonly GitRef[]): readonly Listed[] => {
  const table = refTable(refs);
  return entries.map((entry) => ({ entry, now: showSeen(resolveRevision(entry.revision, table)) }));
};

/** Did all followers see the revision where it is now? If not it moved, was deleted or appeared, and somebody is behind. */
export const isSettled = ({ entry: { seen }, now }: Listed): boolean => seen.length === 1 && seen[0] === now;

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

/** A failure as it is stored: as much of it as is ever shown. */
export const showFailure = ({ code, message }: PollFailure): string =>
  JSON.stringify({ code, message: printableLines(message) });

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
