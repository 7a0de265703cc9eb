/** Removes from the source what `include` or `exclude` of the project descriptor says (spec 03 §10.6). */
import { readdir, unlink } from 'node:fs/promises';
import ignore from 'ignore';

/** Patterns in gitignore's language; one of the two lists. */
export type SourceFilter =
  | { readonly kind: 'exclude'; readonly patterns: readonly string[] }
  | { readonly kind: 'include'; readonly patterns: readonly string[] };

/** Git matches bytes: `?` is half of an `ä`. Bytes beyond ASCII become characters that no pattern has and no rule takes for a blank. */
const bytewise = (text: string | Uint8Array): string =>
  Array.from(typeof text === 'string' ? Buffer.from(text) : text, (byte) =>
    String.fromCharCode(byte < 0x80 ? byte : 0xe000 + byte),
  ).join('');

/** Is this path (relative, `/` between) to be deleted? Pure, for one filter many paths. */
export function deletedBy({ kind, patterns }: SourceFilter): (path: string | Uint8Array) => boolean {
  const matcher = ignore({ ignorecase: false }).add(patterns.map(bytewise));
  return (path) => matcher.ignores(bytewise(path)) === (kind === 'exclude');
}

const below = (folder: Uint8Array, name: Uint8Array): Buffer =>
  folder.length === 0 ? Buffer.from(name) : Buffer.concat([folder, Buffer.from('/'), name]);

/** Deletes every file and link that the filter does not keep; directories stay, even empty. Links are never followed. Names need not be UTF-8. */
export async function applyFilter(folder: string, filter: SourceFilter): Promise<void> {
  const isDeleted = deletedBy(filter);
  const root = Buffer.from(folder);
  const pending: Buffer[] = [Buffer.of()];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    const here = at.length === 0 ? root : below(root, at);
    for (const entry of await readdir(here, { withFileTypes: true, encoding: 'buffer' })) {
      const path = below(at, entry.name);
      if (entry.isDirectory()) pending.push(path);
      else if (isDeleted(path)) await unlink(below(root, path));
    }
  }
}
