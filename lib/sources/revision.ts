/**
 * What a requested git revision means. One documented order, the same on every call (DESIGN §4):
 *
 * 1. nothing or `HEAD`: the repository's default branch
 * 2. a full ref name (`refs/heads/main`, `refs/pull/7/head`)
 * 3. a branch of that name
 * 4. a tag of that name, an annotated one as the commit behind it
 * 5. a ref that is the name after `refs/` or `refs/remotes/` (`pull/7/head`, `heads/main`)
 * 6. a full commit id
 */
import type { GitRevisionType } from '../api/source-config.ts';
import { type GitRef, isObjectId } from '../git/refs.ts';

/** A revision that was found. */
export interface ResolvedRevision {
  /** Commit id, lower-case hex. */
  readonly commit: string;
  readonly type: GitRevisionType;
}

const isDefault = (revision: string): boolean => revision === '' || revision === 'HEAD';

/** Longest revision we ask for; hosts refuse longer ref names themselves. */
const MAX_LENGTH = 1000;

/** Could a ref be called that? Git allows no control characters, spaces, `~^:?*[` or backslashes (git-check-ref-format). */
export const isRefName = (revision: string): boolean =>
  revision.length <= MAX_LENGTH && !/[\p{Cc} ~^:?*[\\]/u.test(revision);

/** Refs by their full names. */
export type RefTable = ReadonlyMap<string, GitRef>;

/** Makes many look-ups cheap. */
export const refTable = (refs: readonly GitRef[]): RefTable => new Map(refs.map((ref) => [ref.name, ref]));

/** Full names that a revision may mean, the strongest first. */
export const refNamesFor = (revision: string): readonly string[] => {
  if (isDefault(revision)) return ['HEAD'];
  const short = [`refs/heads/${revision}`, `refs/tags/${revision}`, `refs/${revision}`, `refs/remotes/${revision}`];
  return revision.startsWith('refs/') ? [revision, ...short] : short;
};

/** A branch or the default branch moves and is polled; kpack calls everything outside of branches and tags Unknown (02#202). */
const typeOf = (name: string): GitRevisionType => {
  if (name === 'HEAD' || name.startsWith('refs/heads/')) return 'Branch';
  return name.startsWith('refs/tags/') ? 'Tag' : 'Unknown';
};

/**
 * The commit a revision means among `refs`; undefined when the repository has nothing of that name and it is no full commit id.
 * A commit id is taken on trust, in either case of letters: whether the host hands it out shows when it is fetched.
 */
export const resolveRevision = (revision: string, refs: RefTable): ResolvedRevision | undefined => {
  for (const name of refNamesFor(revision)) {
    const ref = refs.get(name);
    if (ref !== undefined) return { commit: ref.peeled ?? ref.hash, type: typeOf(name) };
  }
  const commit = revision.toLowerCase();
  return isObjectId(commit) ? { commit, type: 'Commit' } : undefined;
};
