/** Checks out submodules level by level (spec 03 §10.2 step 6). */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { PermanentError } from '../../errors/expected.ts';
import { shownUrl } from '../../text/shown-url.ts';
import { GitFailure, type GitRun, git } from './git-command.ts';

/** A repository may contain itself; kpack stops here too. */
const maxDepth = 10;

/**
 * `git submodule` is a shell script that the image does not have; its engine is built in. URLs and paths that look like options, or use
 * another transport, are refused by git and by the allowed protocols. @throws PermanentError nested too deep. @throws GitFailure
 */
export async function updateSubmodules(run: GitRun, log: (line: string) => void, depth = 1): Promise<void> {
  for (const path of await submodulePaths(run)) {
    if (depth > maxDepth) throw new PermanentError('', `updating submodules: nested deeper than ${maxDepth} levels`);
    const url = await submoduleUrl(run, path);
    if (url === undefined) continue;
    log(`Updating submodule ${shownUrl(url)}`);
    await updateOne(run, path);
    await updateSubmodules({ ...run, cwd: join(run.cwd, path) }, log, depth + 1);
  }
}

/** Some hosts give away single commits only at the tip of a branch: then the whole history has to come. */
async function updateOne(run: GitRun, path: string): Promise<void> {
  const update = ['submodule--helper', 'update', '--init', '--quiet'];
  try {
    await git([...update, '--depth', '1', '--', path], run);
  } catch (error) {
    if (!(error instanceof GitFailure) || !/did not contain|unadvertised object|not our ref/.test(error.stderr))
      throw error;
    await git([...update, '--', path], run);
  }
}

/** Paths the index knows as submodules; what .gitmodules claims beyond that is not believed. */
async function submodulePaths(run: GitRun): Promise<readonly string[]> {
  const isFile = await lstat(join(run.cwd, '.gitmodules')).then(
    (stats) => stats.isFile(),
    () => false,
  );
  if (!isFile) return [];
  const staged = await git(['ls-files', '--stage', '-z'], run);
  return staged.split('\0').flatMap((line) => (line.startsWith('160000 ') ? [line.slice(line.indexOf('\t') + 1)] : []));
}

async function submoduleUrl(run: GitRun, path: string): Promise<string | undefined> {
  const list = await git(
    ['config', '--file', '.gitmodules', '--null', '--get-regexp', '^submodule\\..*\\.(path|url)$'],
    run,
  );
  const values = new Map(
    list.split('\0').flatMap((line) => {
      const [key, value] = [line.slice(0, line.indexOf('\n')), line.slice(line.indexOf('\n') + 1)];
      return key === '' ? [] : [[key, value] as const];
    }),
  );
  const named = [...values].find(([key, value]) => key.endsWith('.path') && value === path)?.[0];
  const url = named === undefined ? undefined : values.get(named.replace(/\.path$/, '.url'));
  return url;
}
