/** Checks out submodules level by level (spec 03 §10.2 step 6), each fetched in the way that the source was. */
import { lstat, mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { PermanentError } from '../../errors/expected.ts';
import { type GitUrl, parseGitUrl } from '../../git/url.ts';
import { shownUrl } from '../../text/shown-url.ts';
import { git } from './git-command.ts';
import { retold } from './git-failure.ts';
import { type FetchTools, fetched, runIn } from './git-fetch.ts';
import { remoteOf } from './git-place.ts';
import { submoduleUrl } from './submodule-url.ts';

/** A repository may contain itself; kpack stops here too. */
const maxDepth = 10;

/** A repository that is checked out, and where it is from. */
export interface CheckedOut {
  readonly folder: string;
  readonly url: GitUrl;
}

/** A submodule as the index has it; what .gitmodules claims beyond that is not believed. */
interface Submodule {
  readonly path: string;
  readonly commit: string;
}

/** Fetches and checks out what `parent` and its submodules consist of. @throws ExpectedError, PermanentError: nested too deep, or a URL that is refused */
export async function updateSubmodules(
  parent: CheckedOut,
  tools: FetchTools,
  log: (line: string) => void,
  depth = 1,
): Promise<void> {
  const settings = await settingsOf(parent, tools);
  for (const submodule of await submodulesOf(parent, tools)) {
    if (depth > maxDepth) throw new PermanentError('', `updating submodules: nested deeper than ${maxDepth} levels`);
    const { url: written, update } = settings(submodule.path);
    if (written === undefined || update === 'none') continue;
    log(`Updating submodule ${shownUrl(written)}`);
    const child = await updateOne(parent, submodule, written, tools);
    await updateSubmodules(child, tools, log, depth + 1);
  }
}

async function updateOne(
  parent: CheckedOut,
  { path, commit }: Submodule,
  written: string,
  tools: FetchTools,
): Promise<CheckedOut> {
  try {
    const url = withLoginOf(parent.url, parseGitUrl(submoduleUrl(remoteOf(parent.url, tools.sshUser), written)));
    const folder = await ownFolder(parent.folder, path);
    const checkOut = await fetched({ url, revision: commit, folder }, tools);
    await checkOut();
    return { folder, url };
  } catch (error) {
    throw retold(error, 'updating submodules');
  }
}

/** A login that is written in the source's URL opens its host, for submodules too; never in the clear when it was written for https. */
function withLoginOf({ scheme, authority, embedded }: GitUrl, url: GitUrl): GitUrl {
  const isItsHost = url.authority === authority && (url.scheme === 'https' || url.scheme === scheme);
  return embedded === undefined || url.embedded !== undefined || url.scheme === 'ssh' || !isItsHost
    ? url
    : { ...url, embedded };
}

/** The folder that the checkout made for it. @throws PermanentError when a link leads elsewhere */
async function ownFolder(root: string, path: string): Promise<string> {
  if (path.startsWith('-'))
    throw new PermanentError(
      '',
      `the submodule path ${JSON.stringify(path.slice(0, 200))} looks like an option; rename it`,
    );
  const folder = join(root, path);
  await mkdir(folder, { recursive: true });
  if ((await realpath(folder)) === join(await realpath(root), path)) return folder;
  throw new PermanentError(
    '',
    `the submodule at ${JSON.stringify(path.slice(0, 200))} lies behind a link; make it a folder`,
  );
}

async function submodulesOf({ folder }: CheckedOut, tools: FetchTools): Promise<readonly Submodule[]> {
  if (!(await hasModules(folder))) return [];
  const staged = await git(['ls-files', '--stage', '-z'], runIn(folder, tools));
  return staged.split('\0').flatMap((line) => {
    const [mode, commit = ''] = line.split(' ', 2);
    return mode === '160000' ? [{ commit, path: line.slice(line.indexOf('\t') + 1) }] : [];
  });
}

const hasModules = (folder: string): Promise<boolean> =>
  lstat(join(folder, '.gitmodules')).then(
    (stats) => stats.isFile(),
    () => false,
  );

interface Settings {
  readonly url?: string | undefined;
  readonly update?: string | undefined;
}

/** What .gitmodules says of the submodule at a path. */
async function settingsOf({ folder }: CheckedOut, tools: FetchTools): Promise<(path: string) => Settings> {
  if (!(await hasModules(folder))) return () => ({});
  const keys = String.raw`^submodule\..*\.(path|url|update)$`;
  const list = await git(
    ['config', '--file', '.gitmodules', '--null', '--get-regexp', keys],
    runIn(folder, tools),
  ).catch(
    // Nothing fits, which git tells by its exit code alone.
    () => '',
  );
  const values = new Map(
    list.split('\0').flatMap((line) => {
      const end = line.indexOf('\n');
      return end < 0 ? [] : [[line.slice(0, end), line.slice(end + 1)] as const];
    }),
  );
  return (path) => {
    const named = [...values].find(([key, value]) => key.endsWith('.path') && value === path)?.[0];
    if (named === undefined) return {};
    const of = (name: string): string | undefined => values.get(named.replace(/path$/, name));
    return { url: of('url'), update: of('update') };
  };
}
