/** Gets one commit of a repository into a folder, whether it is the source or a submodule: one way to ask hosts for both. */
import { commitGoneExitCode } from '../../api/step-exit.ts';
import type { NodeFetch } from '../../egress/fetch.ts';
import { ExpectedError } from '../../errors/expected.ts';
import { type BasicCredential, type SshCredential, usableKey } from '../../git/credentials.ts';
import { needsKey } from '../../git/failures.ts';
import type { GitUrl } from '../../git/url.ts';
import { refNamesFor } from '../../sources/revision.ts';
import { StepFailure } from '../step.ts';
import type { GitAccess } from './git-access.ts';
import { fetchCommit, GitFailure, type GitRun, type GitSetting, git } from './git-command.ts';
import { httpFailureOf, mayBeInHistory, sshFailureOf } from './git-failure.ts';
import {
  type Finding,
  findPlace,
  firstPlace,
  insteadOf,
  isOther,
  type Place,
  remoteOf,
  settingsWhileFetching,
  writtenRemoteOf,
} from './git-place.ts';
import { formatOf, writeRepository } from './git-repository.ts';
import { isCommitId, listedRefs, type Wanted, wantedFrom } from './git-revision.ts';
import { credentialAmong } from './git-secrets.ts';
import { lfsFailureOf } from './lfs-failure.ts';

/** What fetching needs, the same for a source and its submodules. */
export interface FetchTools extends Finding {
  readonly access: GitAccess;
  /** Folder outside of every repository. */
  readonly scratch: string;
  /** Login over ssh where the URL names nobody; `git` unless said. */
  readonly sshUser?: string | undefined;
  readonly fetch: NodeFetch;
}

/** A commit that is wanted. */
export interface Wish {
  readonly url: GitUrl;
  readonly revision: string;
  /** Becomes a repository with a working tree. */
  readonly folder: string;
}

/** Writes the working tree of what was fetched. @throws GitFailure; GitError for a file that LFS keeps and does not give */
export type CheckOut = () => Promise<void>;

/** How git is run in a folder. */
export const runIn = (cwd: string, { access, signal }: FetchTools): GitRun => ({ cwd, ...access, signal });

/** Fetches. @throws GitError that says why a host does not give it; ExpectedError when there is no such revision; StepFailure when a commit is gone */
export async function fetched(wish: Wish, tools: FetchTools): Promise<CheckOut> {
  const checkOut = await fetchedFrom(wish, tools);
  return async () => {
    try {
      await checkOut();
    } catch (error) {
      throw error instanceof GitFailure ? lfsFailureOf(error, wish.url) : error;
    }
  };
}

async function fetchedFrom(wish: Wish, tools: FetchTools): Promise<CheckOut> {
  const credential = credentialAmong(tools.secrets, wish.url);
  if (wish.url.scheme !== 'ssh') {
    const basic = credential?.kind === 'basic' ? credential : undefined;
    return await fetchedOverHttp(wish, basic, tools).catch((error: unknown) => {
      throw error instanceof GitFailure && !tools.signal.aborted
        ? httpFailureOf(error, { url: wish.url, credential: basic })
        : error;
    });
  }
  if (credential?.kind !== 'ssh') throw needsKey(wish.url);
  usableKey(credential, wish.url);
  return await fetchedOverSsh(wish, credential, tools);
}

const byId = (id: string): Wanted => ({ kind: 'object', id: id.toLowerCase() });

function wantedOr({ url, revision }: Wish, wanted: Wanted | undefined): Wanted {
  if (wanted !== undefined) return wanted;
  throw new ExpectedError(`${url.display} has no branch, tag or commit ${JSON.stringify(revision)}`, { pace: 'slow' });
}

/**
 * git goes where the URL says; only when that fails the asker looks where redirects lead and what the host wants, with a sentence for whatever it
 * meets. What is not a commit id is looked up first anyway.
 */
async function fetchedOverHttp(
  wish: Wish,
  credential: BasicCredential | undefined,
  tools: FetchTools,
): Promise<CheckOut> {
  const { url, revision } = wish;
  if (!isCommitId(revision)) {
    const { place, refs } = await findPlace(url, credential, prefixesFor(revision), tools);
    const listed = refs.map(({ name, hash }) => ({ name, id: hash }));
    return await taken(wish, wantedOr(wish, wantedFrom(revision, listed)), place, tools, refs[0]?.hash);
  }
  const first = firstPlace(url, credential);
  try {
    return await taken(wish, byId(revision), first, tools);
  } catch (error) {
    if (!(error instanceof GitFailure) || tools.signal.aborted) throw error;
    const { place } = await findPlace(url, credential, ['HEAD'], tools);
    if (!isOther(first, place)) throw error;
    return await taken(wish, byId(revision), place, tools);
  }
}

/** An abbreviated id may be that of anything. */
const prefixesFor = (revision: string): readonly string[] =>
  /^[0-9a-f]{4,64}$/i.test(revision) ? [] : refNamesFor(revision);

async function fetchedOverSsh(wish: Wish, credential: SshCredential, tools: FetchTools): Promise<CheckOut> {
  const { url, revision } = wish;
  const remote = remoteOf(url, tools.sshUser);
  try {
    const listed = isCommitId(revision)
      ? []
      : listedRefs(await git(['ls-remote', '--', remote], runIn(tools.scratch, tools)));
    const wanted = isCommitId(revision) ? byId(revision) : wantedOr(wish, wantedFrom(revision, listed));
    return await taken(wish, wanted, { url: remote }, tools, listed[0]?.id);
  } catch (error) {
    throw error instanceof GitFailure ? sshFailureOf(error, url, credential) : error;
  }
}

/** `example` is any id of the repository, for its format. */
async function taken(wish: Wish, wanted: Wanted, place: Place, tools: FetchTools, example = ''): Promise<CheckOut> {
  const { url, folder, revision } = wish;
  const remote = writtenRemoteOf(url, tools.sshUser);
  await writeRepository(folder, remote, formatOf(wanted.kind === 'object' ? wanted.id : example));
  const run = runIn(folder, tools);
  const there: GitRun = { ...run, settings: [...run.settings, ...insteadOf(place, remote)] };
  const whileFetching = url.scheme === 'ssh' ? [] : settingsWhileFetching(place);
  if (wanted.kind === 'search') return await searched(revision, there, whileFetching);
  try {
    const { isFetched, failure } = await fetchCommit(wanted.id, there, whileFetching);
    if (failure === undefined) return () => Promise.resolve();
    if (!isFetched) throw failure;
    return () => Promise.reject(failure);
  } catch (error) {
    // Hosts may refuse commits that are not the tip of a ref; the history then has to be fetched to reach it.
    if (!(error instanceof GitFailure) || !mayBeInHistory(error)) throw error;
    return await searched(wanted.id, there, whileFetching);
  }
}

async function searched(id: string, run: GitRun, whileFetching: readonly GitSetting[]): Promise<CheckOut> {
  const refspecs = ['+refs/heads/*:refs/remotes/origin/*', '+refs/tags/*:refs/tags/*'];
  await git(['fetch', '--quiet', 'origin', ...refspecs], { ...run, settings: [...run.settings, ...whileFetching] });
  const parsed = git(['rev-parse', '--verify', '--quiet', '--end-of-options', `${id}^{commit}`], run);
  const found = await parsed.catch((cause: unknown) => {
    if (!(cause instanceof GitFailure)) throw cause;
    const said = `there is no commit ${id}`;
    throw isCommitId(id)
      ? new StepFailure(commitGoneExitCode, said, { cause })
      : new ExpectedError(said, { cause, pace: 'slow' });
  });
  return async () => void (await git(['checkout', '--quiet', '--force', '--detach', found.trim(), '--'], run));
}
