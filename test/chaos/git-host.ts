/** A git host in memory: repositories with branches, and commits that can be built or not. */
import { createHash } from 'node:crypto';
import { GitError } from '../../lib/git/errors.ts';
import type { RefLister } from '../../lib/git/list-refs.ts';
import type { Calls } from './calls.ts';

export const gitHost = 'git.example';

/** The host. */
export class GitHost {
  readonly #calls: Calls;
  readonly #branches = new Map<string, Map<string, string>>();
  readonly #bad = new Set<string>();
  readonly #order = new Map<string, number>();

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  /** A new commit at the end of a branch, which is made when there is none. */
  commit(repository: string, branch: string, number: number, isGood: boolean): string {
    const commit = createHash('sha1').update(`${repository} ${number}`).digest('hex');
    const branches = this.#branches.get(repository) ?? new Map<string, string>();
    branches.set(branch, commit);
    this.#branches.set(repository, branches);
    this.#order.set(commit, number);
    if (!isGood) this.#bad.add(commit);
    return commit;
  }

  rename(repository: string, from: string, to: string): void {
    const branches = this.#branches.get(repository);
    const commit = branches?.get(from);
    if (commit === undefined) return;
    branches?.delete(from);
    branches?.set(to, commit);
  }

  isGood(commit: string): boolean {
    return !this.#bad.has(commit);
  }

  /** The how-manyth of its repository it is. */
  numberOf(commit: string): number {
    return this.#order.get(commit) ?? -1;
  }

  readonly listRefs: RefLister = ({ url }, signal) => {
    const name = url.display.replace(/^.*\//, '');
    return this.#calls.make({
      port: 'git',
      name: `LIST ${name}`,
      isWrite: false,
      signal,
      deadlineSeconds: 10,
      carryOut: () => {
        const branches = this.#branches.get(name);
        if (branches === undefined)
          throw new GitError('not-found', `${url.display} is not there`, { host: gitHost, heard: 'something' });
        return [...branches].map(([branch, hash]) => ({ name: `refs/heads/${branch}`, hash }));
      },
      failing: () => new GitError('host-unreachable', `${gitHost} did not answer`, { host: gitHost, heard: 'nothing' }),
    });
  };
}
