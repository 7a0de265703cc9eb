/** Source from a git repository: one commit, without history, checked out with its working tree (spec 03 §10.2). */
import { openFetch } from '../../egress/fetch.ts';
import { type GitUrl, parseGitUrl } from '../../git/url.ts';
import { shownUrl } from '../../text/shown-url.ts';
import { gitAccess } from './git-access.ts';
import { git } from './git-command.ts';
import { fetchFailure, retold } from './git-failure.ts';
import { type FetchTools, fetched, runIn, type Wish } from './git-fetch.ts';
import { checkedOutCommit } from './git-repository.ts';
import { checkRevision } from './git-revision.ts';
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
  /** Login over ssh where the URL names nobody; `git` unless said (spec 03 §16.5). */
  readonly sshUser?: string;
}

/** A source on its way into the workspace. */
export interface BegunSource {
  /** Says so in the log, waits for the working tree and records url, revision and commit. @throws PermanentError, ExpectedError */
  readonly finish: () => Promise<void>;
  /** Resolves when nothing of it runs any more; to be awaited after its signal was aborted. */
  readonly ended: Promise<void>;
}

/** A fetch that is under way. */
interface Begun {
  readonly url: GitUrl;
  readonly work: Promise<void>;
  readonly tools: FetchTools;
}

/**
 * Begins, and returns once git runs: what else there is to do can be done meanwhile. What is wrong with URL, revision and credentials is
 * thrown by `finish` like every other failure.
 */
export async function beginGit(source: GitSource, context: SourceContext): Promise<BegunSource> {
  try {
    const url = parseGitUrl(source.url);
    checkRevision(source.revision);
    const tools = await toolsFor(url, source, context);
    const work = inWorkspace({ url, revision: source.revision, folder: context.workspace }, tools);
    return { finish: () => finished(source, { url, work, tools }, context), ended: settledOf(work) };
  } catch (error) {
    return { finish: () => Promise.reject(error), ended: Promise.resolve() };
  }
}

/** Fetches into the workspace and records url, revision and commit. @throws PermanentError bad url or revision. @throws ExpectedError */
export async function fetchGit(source: GitSource, context: SourceContext): Promise<void> {
  await (await beginGit(source, context)).finish();
}

/** What the source and its submodules are fetched with. */
async function toolsFor(url: GitUrl, source: GitSource, context: SourceContext): Promise<FetchTools> {
  const secrets = await readGitSecrets(source.secrets, context.secretsDir);
  const { scratch, signal } = context;
  const access = await gitAccess(url, secrets, { scratch, trustUnknownHosts: source.trustUnknownHosts });
  return { secrets, access, scratch, signal, sshUser: source.sshUser, fetch: openFetch() };
}

async function inWorkspace(wish: Wish, tools: FetchTools): Promise<void> {
  const checkOut = await fetched(wish, tools).catch((error: unknown) => {
    throw fetchFailure(error);
  });
  try {
    await checkOut();
  } catch (error) {
    throw retold(error, 'checking out revision');
  }
}

async function finished(source: GitSource, begun: Begun, context: SourceContext): Promise<void> {
  const { url, work, tools } = begun;
  const shown = `"${url.display}" @ "${source.revision}"`;
  context.log(`Cloning ${shown}...`);
  await work;
  const folder = context.workspace;
  if (source.submodules) await updateSubmodules({ folder, url }, tools, context.log);
  const commit = (await checkedOutCommit(folder)) ?? (await git(['rev-parse', 'HEAD'], runIn(folder, tools))).trim();
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
