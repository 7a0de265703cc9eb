/** The repository that a source is fetched into, written as `git init` and `git remote add` would: two programs fewer to start. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isObjectId } from '../../git/refs.ts';

/** A value of git's configuration, quoted. */
const quoted = (value: string): string => `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;

/** The hash that names objects. It is in the length of every id, and a repository has one alone. */
export type ObjectFormat = 'sha1' | 'sha256';

/** The format of a repository with that object. */
export const formatOf = (id: string): ObjectFormat => (id.length === 64 ? 'sha256' : 'sha1');

const configOf = (remote: string, format: ObjectFormat): string => `[core]
\trepositoryformatversion = ${format === 'sha1' ? 0 : 1}
\tfilemode = true
\tbare = false
\tlogallrefupdates = true
${format === 'sha1' ? '' : `[extensions]\n\tobjectformat = ${format}\n`}[remote "origin"]
\turl = ${quoted(remote)}
\tfetch = +refs/heads/*:refs/remotes/origin/*
`;

/** Makes an empty repository with the remote `origin` in `workspace`. The URL was parsed: it holds no control characters. */
export async function writeRepository(workspace: string, remote: string, format: ObjectFormat): Promise<void> {
  const folder = join(workspace, '.git');
  const folders = ['objects/info', 'objects/pack', 'refs/heads', 'refs/tags'];
  await Promise.all(folders.map((path) => mkdir(join(folder, path), { recursive: true })));
  await writeFile(join(folder, 'config'), configOf(remote, format));
  // Written last: with it, git takes the folder for a repository.
  await writeFile(join(folder, 'HEAD'), 'ref: refs/heads/main\n');
}

/** The commit that is checked out, detached; undefined when HEAD says something else. */
export async function checkedOutCommit(workspace: string): Promise<string | undefined> {
  const head = (await readFile(join(workspace, '.git', 'HEAD'), 'utf8')).trim();
  return isObjectId(head) ? head : undefined;
}
