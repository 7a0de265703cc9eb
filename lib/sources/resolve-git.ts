/** A git source at the commit its revision means now (spec 02 §8.3). */
import type { GitSource, ResolvedGit } from '../api/source-config.ts';
import { ExpectedError } from '../errors/expected.ts';
import type { GitUrl } from '../git/url.ts';
import type { ResolvedRevision } from './revision.ts';

const revisionNotFoundMessage = (url: GitUrl, revision: string): string => {
  if (revision === '' || revision === 'HEAD') return `${url.display} has no commits on its default branch; push one`;
  const hint = /^[0-9a-fA-F]{4,39}$/u.test(revision)
    ? 'write all 40 digits of a commit id'
    : 'push it or correct the name';
  return `${url.display} has no branch, tag or other ref ${JSON.stringify(revision.slice(0, 200))}; ${hint}`;
};

/** The repository can be read but has nothing of the requested name: misspelt, not pushed yet, or deleted. */
export class RevisionNotFoundError extends ExpectedError {
  override readonly name = 'RevisionNotFoundError';

  constructor(url: GitUrl, revision: string) {
    super(revisionNotFoundMessage(url, revision), { pace: 'slow' });
  }
}

/** What the status says of a revision that was found. */
export const resolvedGit = (source: GitSource, subPath: string | undefined, found: ResolvedRevision): ResolvedGit => ({
  url: source.url,
  revision: found.commit,
  type: found.type,
  ...(subPath === undefined || subPath === '' ? {} : { subPath }),
  ...(source.initializeSubmodules === true ? { initializeSubmodules: true } : {}),
});
