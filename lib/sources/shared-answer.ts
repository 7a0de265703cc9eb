/** May a SourceResolver take the answer of its shared poll in place of asking the host itself? */
import type { Reason } from '../queue/message.ts';
import type { PollEntry, PollRow } from '../state/polls.ts';
import { failureAsError, parseFailure, parseSeen } from './git-poll.ts';
import type { ResolvedRevision } from './revision.ts';

/** Reasons that come from a shared poll or a timer. After an edit, a hook or a hand the host itself is asked. */
const SHARING: ReadonlySet<Reason> = new Set(['dependency', 'due', 'list']);

/** How old a listing may be, beyond the polling interval, in seconds: the way from the poll through the queue. */
const GRACE_SECONDS = 30;

/** How long a failure speaks for the host: longer than the longest back-off of a poll. */
const FAILURE_SECONDS = 900;

/** `found` without `revision` means that the repository has nothing of that name. */
export interface SharedAnswer {
  readonly found: ResolvedRevision | undefined;
}

/**
 * The answer of the last listing for the revision of `entry`, undefined when there is none to rely on. What it leaves out cannot be lost: the
 * poll compares with what it has stored here, so the next move wakes again. @throws GitError as the poll got it, while it fails
 */
export const sharedAnswer = (
  row: PollRow | undefined,
  entry: Pick<PollEntry, 'found'> | undefined,
  {
    reasons,
    now,
    intervalSeconds,
  }: { readonly reasons: ReadonlySet<Reason>; readonly now: Date; readonly intervalSeconds: number },
): SharedAnswer | undefined => {
  if (row?.askedAt === undefined || [...reasons].some((reason) => !SHARING.has(reason))) return undefined;
  const age = Math.floor(now.getTime() / 1000) - row.askedAt;
  const failure = row.attempts > 0 ? parseFailure(row.failure) : undefined;
  if (failure !== undefined && age <= FAILURE_SECONDS) throw failureAsError(failure);
  if (row.attempts > 0 || age > intervalSeconds + GRACE_SECONDS) return undefined;
  return entry?.found === undefined ? undefined : { found: parseSeen(entry.found) };
};
