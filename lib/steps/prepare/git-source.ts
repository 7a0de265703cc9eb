/** Source from a git repository: one commit, without history, checked out with its working tree (spec 03 §10.2). */
import { commitGoneExitCode } from '../../api/step-exit.ts';
import { ExpectedError } from '../../errors/expected.ts';
import { type GitUrl, parseGitUrl } from '../../git/url.ts';
import { shownUrl } from '../../text/shown-url.ts';
import { StepFailure } from '../step.ts';
import { gitAccess } from './git-access.ts';
import { fetchCommit, GitFailure, type GitRun, git } from './git-command.ts';
import { redirectedUrl } from './git-redirect.ts';
import { checkedOutCommit, writeRepository } from './git-repository.ts';
import { checkRevision, isCommitId, listedRefs, type Wanted, wantedFrom } from './git-revision.ts';
import { type GitSecretFlags, readGitSecrets } from './git-secrets.ts';
import { writeProjectMetadata } from './project-metadata.ts';
import type { SourceContext } from './source.ts';
import { updateSubmodules } from './submodules.ts';

export interface GitSource {
  readonly url: string;
  readonly revision: string;
  readonly submodules: boolean;
  readonly secrets: GitSecretFlags;
  readonly trustUnknownHosts: boolean;
  /** Login over ssh; `git` unless said, whatever the URL says (spec 03 §16.5). */
  readonly sshUser?: string;
}

/** A source on its way into the workspace. */
export interface BegunSource {
  /** Says so in the log, waits for the working tree and records url, revision and commit. @throws PermanentError, ExpectedError */
  readonly finish: () => Promise<void>;
  /** Resolves when nothing of it runs any more; to be awaited after its signal was aborted. */
  readonly ended: Promise<void>;
}

/**
 * Begins, and returns once git runs: what else there is to do can be done meanwhile. What is wrong with URL, revision and credentials is
 * thrown by `finish` like every other failure.
 */
export async function beginGit(source: GitSource, context: SourceContext): Promise<BegunSource> {
  try {
    const url = parseGitUrl(source.url);
    checkRevision(source.revision);
    const run = await repositoryFor(url, source, context);
    const work = inWorkspace(source.revision, url, run);
    return { finish: () => finished(source, url, work, run, context), ended: settledOf(work) };
  } catch (error) {
    return { finish: () => Promise.reject(error), ended: Promise.resolve() };
  }
}

/** Fetches into the workspace and records url, revision and commit. @throws PermanentError bad url or revision. @throws ExpectedError */
export async function fetchGit(source: GitSource, context: SourceContext): Promise<void> {
  await (await beginGit(source, context)).finish();
}

/** An empty repository in the workspace, and how git is to be run in it. */
async function repositoryFor(url: GitUrl, source: GitSource, context: SourceContext): Promise<GitRun> {
  const secrets = await readGitSecrets(source.secrets, context.secretsDir);
  const { scratch } = context;
  const access = await gitAccess(url, secrets, { scratch, trustUnknownHosts: source.trustUnknownHosts });
  await writeRepository(context.workspace, remoteOf(withoutQuery(url), source.sshUser));
  return { cwd: context.workspace, ...access, signal: context.signal };
}

/** A query may be a token. `.git` becomes a part of the image, so what is written there goes without. */
const withoutQuery = (url: GitUrl): GitUrl => ({ ...url, query: '' });

/** While the source itself is fetched, the remote means the URL with its query. */
const asWritten = (url: GitUrl, run: GitRun): GitRun =>
  url.query === ''
    ? run
    : { ...run, settings: [...run.settings, [`url.${remoteOf(url)}.insteadOf`, remoteOf(withoutQuery(url))]] };

async function inWorkspace(revision: string, url: GitUrl, run: GitRun): Promise<void> {
  const checkOut = await fetched(revision, url, asWritten(url, run));
  try {
    await checkOut();
  } catch (error) {
    throw retold(error, 'checking out revision');
  }
}

async function finished(
  source: GitSource,
  url: GitUrl,
  work: Promise<void>,
  run: GitRun,
  context: SourceContext,
): Promise<void> {
  const shown = `"${url.display}" @ "${source.revision}"`;
  context.log(`Cloning ${shown}...`);
  await work;
  if (source.submodules) await withSubmodules(run, context.log);
  const commit = (await checkedOutCommit(context.workspace)) ?? (await git(['rev-parse', 'HEAD'], run)).trim();
  await writeProjectMetadata(context.metadataDir, {
    type: 'git',
    metadata: { repository: shownUrl(source.url), revision: source.revision },
    version: { commit },
  });
  context.fetched?.({ type: 'git', id: commit });
  context.log(`Successfully cloned ${shown} in path "${context.workspace}"`);
}

/** Its failure is told by whoever waits for the result. */
const settledOf = (work: Promise<unknown>): Promise<void> =>
  work.then(
    () => undefined,
    () => undefined,
  );

/** Without credentials, which travel another way; over ssh as one user. A path relative to the user's home keeps its form. */
function remoteOf(url: GitUrl, user = 'git'): string {
  if (url.scheme !== 'ssh') return `${url.scheme}://${url.authority}${url.path}${url.query}`;
  const host = url.host.includes(':') ? `[${url.host}]` : url.host;
  if (url.path.startsWith('/')) return `ssh://${user}@${host}:${url.port}${url.path}`;
  return url.path.startsWith('~') ? `ssh://${user}@${host}:${url.port}/${url.path}` : `${user}@${host}:${url.path}`;
}

/** Writes the working tree of what was fetched. @throws GitFailure */
type CheckOut = () => Promise<void>;

/** Gets what the revision means into the repository of the workspace. */
async function fetched(revision: string, url: GitUrl, run: GitRun): Promise<CheckOut> {
  try {
    return await followingRedirects(url, run, async () => {
      const wanted: Wanted | undefined = isCommitId(revision)
        ? { kind: 'object', id: revision.toLowerCase() }
        : wantedFrom(revision, listedRefs(await git(['ls-remote', 'origin'], run)));
      if (wanted === undefined) {
        throw new ExpectedError(`${url.display} has no branch, tag or commit ${JSON.stringify(revision)}`, {
          pace: 'slow',
        });
      }
      return wanted.kind === 'search' ? await searched(revision, run) : await fetchObject(wanted.id, run);
    });
  } catch (error) {
    throw fetchFailure(error, url, run);
  }
}

async function fetchObject(id: string, run: GitRun): Promise<CheckOut> {
  try {
    const { isFetched, failure } = await fetchCommit(id, run);
    if (failure === undefined) return () => Promise.resolve();
    if (!isFetched) throw failure;
    return () => Promise.reject(failure);
  } catch (error) {
    // Hosts may refuse commits that are not the tip of a ref; the history then has to be fetched to reach it.
    const refused =
      error instanceof GitFailure && /unadvertised object|not our ref|no such remote ref/i.test(error.stderr);
    if (!refused) throw error;
    return await searched(id, run);
  }
}

async function searched(id: string, run: GitRun): Promise<CheckOut> {
  await git(['fetch', '--quiet', 'origin', '+refs/heads/*:refs/remotes/origin/*', '+refs/tags/*:refs/tags/*'], run);
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

async function followingRedirects(url: GitUrl, run: GitRun, work: () => Promise<CheckOut>): Promise<CheckOut> {
  try {
    return await work();
  } catch (error) {
    const redirected = error instanceof GitFailure && /returned error: 30[12378]/.test(error.stderr);
    if (!redirected || url.scheme === 'ssh') throw error;
    await git(['remote', 'set-url', 'origin', await redirectedUrl(remoteOf(url), run.settings, run.signal)], run);
    return await work();
  }
}

async function withSubmodules(run: GitRun, log: (line: string) => void): Promise<void> {
  try {
    await updateSubmodules(run, log);
  } catch (error) {
    throw retold(error, 'updating submodules');
  }
}

function retold(error: unknown, doing: string): unknown {
  return error instanceof GitFailure ? new ExpectedError(`${doing}: ${error.message}`, { cause: error }) : error;
}

const loginRefused =
  /Authentication failed|could not read (?:Username|Password)|terminal prompts disabled|returned error: 40[13]|Permission denied/;

/** ssh says it in a page of warnings. */
function aboutHostKey(stderr: string, { authority }: GitUrl): string | undefined {
  if (!stderr.includes('Host key verification failed')) return undefined;
  if (/REVOKED HOST KEY|was revoked|marked as revoked/i.test(stderr))
    return `${authority} shows a host key that is marked @revoked in known_hosts`;
  if (/HOST IDENTIFICATION HAS CHANGED|different from the key/i.test(stderr))
    return `${authority} shows another host key than known_hosts; make sure who answers, then correct known_hosts in the Secret`;
  return `${authority} is not in known_hosts; add its line from ssh-keyscan to the Secret after checking it`;
}

/** kpack's two sentences, and what the user can do about the first. */
function fetchFailure(error: unknown, url: GitUrl, run: GitRun): unknown {
  if (!(error instanceof ExpectedError)) return error;
  const stderr = error instanceof GitFailure ? error.stderr : '';
  if (loginRefused.test(stderr)) {
    const had = run.settings.some(([key]) => key.includes(`//${url.authority}/`)) || url.scheme === 'ssh';
    const hint = had
      ? `the credentials for ${url.authority} are not accepted`
      : `${url.authority} asks for credentials and no Secret of the ServiceAccount is annotated kpack.io/git for it`;
    return new ExpectedError(`invalid credentials for repository: authentication required: ${hint}`, {
      cause: error,
      pace: 'slow',
    });
  }
  const said = `unable to fetch references for repository: ${aboutHostKey(stderr, url) ?? error.message}`;
  return error instanceof StepFailure
    ? new StepFailure(error.exitCode, said, { cause: error })
    : new ExpectedError(said, { cause: error });
}
