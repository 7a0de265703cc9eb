/** The repository that a source is fetched into, written as `git init` and `git remote add` would: two programs fewer to start. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isObjectId } from '../../git/refs.ts';

/** A value of git's configuration, quoted. */
const quoted = (value: string): string => `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;

const configOf = (remote: string): string => `[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = false
\tlogallrefupdates = true
[remote "origin"]
\turl = ${quoted(remote)}
\tfetch = +refs/heads/*:refs/remotes/origin/*
`;

/** Makes an empty repository with the remote `origin` in `workspace`. The URL was parsed: it holds no control characters. */
export async function writeRepository(workspace: string, remote: string): Promise<void> {
  const folder = join(workspace, '.git');
  const folders = ['objects/info', 'objects/pack', 'refs/heads', 'refs/tags'];
  await Promise.all(folders.map((path) => mkdir(join(folder, path), { recursive: true })));
  await writeFile(join(folder, 'config'), configOf(remote));
  // Written last: with it, git takes the folder for a repository.
  await writeFile(join(folder, 'HEAD'), 'ref: refs/heads/main\n');
}

/** The commit that is checked out, detached; undefined when HEAD says something else. */
export async function checkedOutCommit(workspace: string): Promise<string | undefined> {
  const head = (await readFile(join(workspace, '.git', 'HEAD'), 'utf8')).trim();
  return isObjectId(head) ? head : undefined;
}
