/** Removes from the source what `include` or `exclude` of the project descriptor says (spec 03 §10.6). */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import ignore from 'ignore';

/** Patterns in gitignore's language; one of the two lists. */
export type SourceFilter =
  | { readonly kind: 'exclude'; readonly patterns: readonly string[] }
  | { readonly kind: 'include'; readonly patterns: readonly string[] };

/** Is this path (relative, `/` between) to be deleted? Pure, for one filter many paths. */
export function deletedBy({ kind, patterns }: SourceFilter): (path: string) => boolean {
  const matcher = ignore({ ignorecase: false }).add([...patterns]);
  return (path) => matcher.ignores(path) === (kind === 'exclude');
}

/** Deletes every file and link that the filter does not keep; directories stay, even empty. Links are never followed. */
export async function applyFilter(folder: string, filter: SourceFilter): Promise<void> {
  const isDeleted = deletedBy(filter);
  const pending = [''];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    for (const entry of await readdir(join(folder, at), { withFileTypes: true })) {
      const path = at === '' ? entry.name : `${at}/${entry.name}`;
      if (entry.isDirectory()) pending.push(path);
      else if (isDeleted(path)) await rm(join(folder, path));
    }
  }
}
