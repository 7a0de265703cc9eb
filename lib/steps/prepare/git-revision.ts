/** Which object a revision means: the order is fixed, so that a branch and a tag of one name never take turns (DESIGN §4). */

import { PermanentError } from '../../errors/expected.ts';
import { isObjectId } from '../../git/refs.ts';
import { isRefName, refNamesFor } from '../../sources/revision.ts';

/** What can be fetched for a revision. */
export type Wanted =
  /** This commit (or tag object) by its id. */
  | { readonly kind: 'object'; readonly id: string }
  /** An abbreviated id, or an id the host does not offer: everything must be fetched to look it up. */
  | { readonly kind: 'search' };

/** A line of `git ls-remote`. */
export interface ListedRef {
  readonly id: string;
  readonly name: string;
}

/** Refuses what git could take for an option or for an expression. Nothing means the default branch. @throws PermanentError */
export function checkRevision(revision: string): void {
  if (revision.startsWith('-') || !isRefName(revision) || /\.\.|@\{/.test(revision)) {
    throw new PermanentError(
      'InvalidRevision',
      `git revision ${JSON.stringify(revision.slice(0, 100))} cannot be used; give a branch, a tag, a full ref or a commit id`,
    );
  }
}

/** A full id needs no listing. */
export function isCommitId(revision: string): boolean {
  return isObjectId(revision.toLowerCase());
}

/** The names a revision may have, in the order that sources are resolved by, then an abbreviated commit id. Undefined: no such thing. */
export function wantedFrom(revision: string, refs: readonly ListedRef[]): Wanted | undefined {
  const byName = new Map(refs.map(({ id, name }) => [name, id]));
  for (const name of refNamesFor(revision)) {
    const id = byName.get(name);
    if (id !== undefined) return { kind: 'object', id };
  }
  return /^[0-9a-f]{4,64}$/i.test(revision) ? { kind: 'search' } : undefined;
}

/** Parses `git ls-remote`: id, tab, name. */
export function listedRefs(output: string): readonly ListedRef[] {
  return output.split('\n').flatMap((line) => {
    const [id, name] = line.split('\t');
    return id !== undefined && name !== undefined ? [{ id, name }] : [];
  });
}
