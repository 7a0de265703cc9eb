import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { run } from './cluster/command.ts';

/** One commit to make in a bare repository that a git server serves. */
export interface Commit {
  /** Folder of the repositories (`cluster.gitRoot`). */
  readonly gitRoot: string;
  /** Without `.git`; made when it is not there. */
  readonly repository: string;
  /** `main` when absent. */
  readonly branch?: string;
  /** The whole tree: path → content. Files that are not named are gone. */
  readonly files: Readonly<Record<string, string>>;
  /** Submodules: path → commit of another repository. `.gitmodules` is a file like others. */
  readonly submodules?: Readonly<Record<string, string>>;
  readonly message: string;
  readonly at: Date;
}

/** Adds a commit to a branch without a working copy and answers its id. */
export const commitFiles = async (commit: Commit): Promise<string> => {
  const dir = join(commit.gitRoot, `${commit.repository}.git`);
  const ref = `refs/heads/${commit.branch ?? 'main'}`;
  if (!existsSync(dir)) await run('git', ['init', '-q', '--bare', '-b', 'main', dir]);
  const parent = (await git(dir, ['for-each-ref', '--format=%(objectname)', ref])).trim();
  await git(dir, ['fast-import', '--quiet', '--force'], importStream(commit, ref, parent));
  return (await git(dir, ['rev-parse', ref])).trim();
};

/** Whether a repository has a branch with a commit; `main` when none is named. */
export const hasBranch = async ({
  gitRoot,
  repository,
  branch = 'main',
}: Pick<Commit, 'branch' | 'gitRoot' | 'repository'>): Promise<boolean> => {
  const dir = join(gitRoot, `${repository}.git`);
  return existsSync(dir) && (await git(dir, ['for-each-ref', `refs/heads/${branch}`])) !== '';
};

const git = (dir: string, args: readonly string[], input?: string): Promise<string> =>
  run('git', ['-C', dir, ...args], input === undefined ? {} : { input });

/** git-fast-import(1): the commit and its whole tree, in order of path. */
export const importStream = (
  { files, submodules = {}, message, at }: Pick<Commit, 'at' | 'files' | 'message' | 'submodules'>,
  ref: string,
  parent: string,
): string => {
  const data = (text: string): string => `data ${Buffer.byteLength(text)}\n${text}\n`;
  return [
    `commit ${ref}\ncommitter kpackless <sample@kpackless.dev> ${Math.floor(at.getTime() / 1000)} +0000\n`,
    data(message),
    parent === '' ? '' : `from ${parent}\n`,
    'deleteall\n',
    ...Object.entries(files)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([path, content]) => `M 100644 inline ${path}\n${data(content)}`),
    ...Object.entries(submodules).map(([path, id]) => `M 160000 ${id} ${path}\n`),
  ].join('');
};

/** The path of a URL, decoded; undefined when it leads out of the folder or cannot be decoded. */
export const repositoryPath = (pathname: string): string | undefined => {
  try {
    const path = decodeURIComponent(pathname);
    return path.split('/').includes('..') || path.includes('\0') ? undefined : path;
  } catch {
    return undefined;
  }
};
