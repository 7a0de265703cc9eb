/** What it means that a file which LFS keeps could not be had: git-lfs says it in one of six lines, and not in the last. */
import { GitError, type GitErrorCode } from '../../git/errors.ts';
import { howToGive } from '../../git/hop.ts';
import { meaningOf } from '../../git/host-words.ts';
import type { GitUrl } from '../../git/url.ts';
import { printable } from '../../text/printable.ts';
import { shownText } from '../../text/shown-text.ts';
import type { GitFailure } from './git-command.ts';

/** Before the name of the file, its short id, its whole id and the reason (git-lfs, commands/command_smudge.go). */
const opening = 'Error downloading object: ';
const shortId = / \([0-9a-f]{7}\): /u;
const wholeId = /\([0-9a-f]{64}\): /u;
/** Which part of the conversation failed (git-lfs, tq/): of a request over ssh, the asking for a login. */
const stage = /^(?:batch (?<part>request|response): )?(?:LFS: )?/u;
/** git-lfs, lfsapi/auth.go: no helper has a login for it. */
const wantsLogin = /^Git credentials for (?<url>\S+) not found/u;
/** A sentence of ours about a Secret, which a credential helper says in place of a login (git-credential-helper.ts). */
const aboutSecret = /^.* of Secret .*$/mu;

interface LfsWords {
  readonly file: string;
  readonly isOverSsh: boolean;
  readonly why: string;
}

const wordsIn = (stderr: string): LfsWords | undefined => {
  const line = stderr.split('\n').find((one) => one.startsWith(opening)) ?? '';
  const [named, reasonAt] = [line.search(shortId), line.search(wholeId)];
  if (named < 0 || reasonAt < 0) return undefined;
  const reason = line.slice(line.indexOf(': ', reasonAt) + 2);
  const found = stage.exec(reason);
  return {
    file: line.slice(opening.length, named),
    isOverSsh: found?.groups?.['part'] === 'request',
    why: reason.slice(found?.[0].length ?? 0),
  };
};

const remedies: Readonly<Partial<Record<GitErrorCode, string>>> = {
  unauthorized: 'correct the credentials for it',
  forbidden: 'grant read access to its LFS files',
  'not-found': 'push the file there (git lfs push --all origin), or switch LFS on for the repository',
  'host-unreachable': 'have it built again once its host is well',
  throttled: 'have it built again later',
};

const overSsh = 'its ssh server has to answer git-lfs-authenticate: let it, or give the URL for https and a Secret';

const remedyFor = ({ isOverSsh, why }: LfsWords, code: GitErrorCode): string => {
  if (isOverSsh) return overSsh;
  const wanted = wantsLogin.exec(why)?.groups?.['url'] ?? '';
  if (URL.canParse(wanted)) return howToGive(new URL(wanted));
  return remedies[code] ?? 'look at the LFS storage of the repository, then have it built again';
};

/** The failure with its reason, if it is one of LFS; else as it is. */
export const lfsFailureOf = (failure: GitFailure, { display, authority }: GitUrl): GitError | GitFailure => {
  const words = wordsIn(failure.stderr);
  if (words === undefined) return failure;
  const row = meaningOf(words.why);
  const code = row === undefined || row.means === 'commit-gone' ? 'protocol' : row.means;
  const ours = code === 'unauthorized' ? aboutSecret.exec(failure.stderr)?.[0] : undefined;
  const because = row?.because === undefined ? '' : ` (${row.because})`;
  const why = printable(shownText(words.why), 300).trim();
  return new GitError(
    code,
    `${display} keeps ${JSON.stringify(printable(words.file, 200))} with LFS, which does not give it: ${ours ?? `${why}${because}; ${remedyFor(words, code)}`}`,
    { host: authority, heard: 'something', cause: failure },
  );
};
