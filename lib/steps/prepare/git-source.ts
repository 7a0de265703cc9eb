/** Source from a git repository: one commit, without history, checked out with its working tree (spec 03 §10.2). */
import { commitGoneExitCode } from '../../api/step-exit.ts';
import { ExpectedError } from '../../errors/expected.ts';
import { type GitUrl, parseGitUrl } from '../../git/url.ts';
import { StepFailure } from '../step.ts';
import { gitAccess } from './git-access.ts';
import { GitFailure, type GitRun, git } from './git-command.ts';
import { redirectedUrl } from './git-redirect.ts';
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

/** Fetches into the workspace and records url, revision and commit. @throws PermanentError bad url or revision. @throws ExpectedError */
export async function fetchGit(source: GitSource, context: SourceContext): Promise<void> {
  const url = parseGitUrl(source.url);
  const shown = `"${url.display}" @ "${source.revision}"`;
  context.log(`Cloning ${shown}...`);
  checkRevision(source.revision);
  const secrets = await readGitSecrets(source.secrets, context.secretsDir);
  const access = await gitAccess(url, secrets, {
    scratch: context.scratch,
    trustUnknownHosts: source.trustUnknownHosts,
  });
  const run: GitRun = { cwd: context.workspace, ...access, signal: context.signal };

  await git(['init', '--quiet', '--template='], run);
  await git(['remote', 'add', 'origin', remoteOf(url, source.sshUser)], run);
  const id = await fetched(source.revision, url, run);
  await checkedOut(id, run);
  if (source.submodules) await withSubmodules(run, context.log);

  const commit = (await git(['rev-parse', 'HEAD'], run)).trim();
  await writeProjectMetadata(context.metadataDir, {
    type: 'git',
    metadata: { repository: url.embedded === undefined ? source.url : url.display, revision: source.revision },
    version: { commit },
  });
  context.log(`Successfully cloned ${shown} in path "${context.workspace}"`);
}

/** Without credentials, which travel another way; over ssh as one user. A path relative to the user's home keeps its form. */
function remoteOf(url: GitUrl, user = 'git'): string {
  if (url.scheme !== 'ssh') return `${url.scheme}://${url.authority}${url.path}${url.query}`;
  const host = url.host.includes(':') ? `[${url.host}]` : url.host;
  if (url.path.startsWith('/')) return `ssh://${user}@${host}:${url.port}${url.path}`;
  return url.path.startsWith('~') ? `ssh://${user}@${host}:${url.port}/${url.path}` : `${user}@${host}:${url.path}`;
}

/** Id of an object that is in the workspace's repository afterwards and that the revision means. */
async function fetched(revision: string, url: GitUrl, run: GitRun): Promise<string> {
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

async function fetchObject(id: string, run: GitRun): Promise<string> {
  try {
    await git(['fetch', '--quiet', '--no-tags', '--depth', '1', 'origin', id], run);
    return id;
  } catch (error) {
    // Hosts may refuse commits that are not the tip of a ref; the history then has to be fetched to reach it.
    const refused =
      error instanceof GitFailure && /unadvertised object|not our ref|no such remote ref/i.test(error.stderr);
    if (!refused) throw error;
    return await searched(id, run);
  }
}

async function searched(id: string, run: GitRun): Promise<string> {
  await git(['fetch', '--quiet', 'origin', '+refs/heads/*:refs/remotes/origin/*', '+refs/tags/*:refs/tags/*'], run);
  return (
    await git(['rev-parse', '--verify', '--quiet', '--end-of-options', `${id}^{commit}`], run).catch(
      (cause: unknown) => {
        if (!(cause instanceof GitFailure)) throw cause;
        const said = `there is no commit ${id}`;
        throw isCommitId(id)
          ? new StepFailure(commitGoneExitCode, said, { cause })
          : new ExpectedError(said, { cause, pace: 'slow' });
      },
    )
  ).trim();
}

async function followingRedirects(url: GitUrl, run: GitRun, work: () => Promise<string>): Promise<string> {
  try {
    return await work();
  } catch (error) {
    const redirected = error instanceof GitFailure && /returned error: 30[12378]/.test(error.stderr);
    if (!redirected || url.scheme === 'ssh') throw error;
    await git(['remote', 'set-url', 'origin', await redirectedUrl(remoteOf(url), run.settings, run.signal)], run);
    return await work();
  }
}

async function checkedOut(id: string, run: GitRun): Promise<void> {
  try {
    await git(['checkout', '--quiet', '--force', '--detach', id, '--'], run);
  } catch (error) {
    throw retold(error, 'checking out revision');
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
  const said = `unable to fetch references for repository: ${error.message}`;
  return error instanceof StepFailure
    ? new StepFailure(error.exitCode, said, { cause: error })
    : new ExpectedError(said, { cause: error });
}
