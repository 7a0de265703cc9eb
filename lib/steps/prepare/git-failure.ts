/** What it means that git failed in the step: the same sentences for which the source was looked up, around kpack's own (spec 03 §10.2). */
import { ExpectedError, PermanentError } from '../../errors/expected.ts';
import type { SshCredential } from '../../git/credentials.ts';
import { GitError, type GitErrorCode } from '../../git/errors.ts';
import { type Asked, firstHop } from '../../git/hop.ts';
import { meaningOf } from '../../git/host-words.ts';
import { httpFailure } from '../../git/http-errors.ts';
import { remoteFailure } from '../../git/ssh-errors.ts';
import type { GitUrl } from '../../git/url.ts';
import { StepFailure } from '../step.ts';
import type { GitFailure } from './git-command.ts';

/** What git's own client adds to whatever a host says over ssh, and ssh to whatever it does. */
const additions =
  /^(?:fatal: could not read from remote repository|please make sure you have the correct access rights|and the repository exists|warning: permanently added)/iu;

const wordsOf = (stderr: string): string =>
  stderr
    .split('\n')
    .filter((line) => !additions.test(line.trim()))
    .join('\n');

/**
 * May the host have the commit and not give it alone? It says that it has none of that id, or its git refuses what was asked: of an id that it has not,
 * JGit says `internal server error` when no history is wanted, and others cannot leave history out.
 */
export const mayBeInHistory = ({ stderr }: GitFailure): boolean =>
  meaningOf(stderr)?.means === 'commit-gone' || /^fatal: (?:remote error: |Server does not support )/mu.test(stderr);

/** ssh says it in a page of warnings. */
const aboutHostKey = (stderr: string, { authority }: GitUrl, { secretName }: SshCredential): GitError | undefined => {
  if (!stderr.includes('Host key verification failed')) return undefined;
  const known = `known_hosts of Secret ${secretName}`;
  const error = (code: GitErrorCode, said: string): GitError => new GitError(code, said, { host: authority });
  if (/REVOKED HOST KEY|was revoked|marked as revoked/i.test(stderr))
    return error(
      'host-key-mismatch',
      `${authority} shows a host key that is marked @revoked in known_hosts; make sure who answers, then give it the line of its new key`,
    );
  if (/HOST IDENTIFICATION HAS CHANGED|different from the key/i.test(stderr))
    return error(
      'host-key-mismatch',
      `${authority} shows another host key than known_hosts; make sure who answers, then correct ${known}`,
    );
  return error(
    'host-key-unknown',
    `${authority} is not in known_hosts; add its line from ssh-keyscan to ${known} after checking it`,
  );
};

/** What git over ssh could not do, by the words of ssh and of the host. */
export const sshFailureOf = (failure: GitFailure, url: GitUrl, credential: SshCredential): ExpectedError => {
  const aboutKey = aboutHostKey(failure.stderr, url, credential);
  if (aboutKey !== undefined) return aboutKey;
  const words = wordsOf(failure.stderr);
  const means = meaningOf(words)?.means;
  if (means === 'key-refused') {
    const user = url.user === undefined ? `user ${credential.username}` : 'the user that the URL names';
    return new GitError(
      means,
      `${url.authority} refused the key of Secret ${credential.secretName} for ${user}; register its public key there`,
      { host: url.authority, cause: failure },
    );
  }
  return means === undefined || words.trim() === '' ? failure : remoteFailure(url, words, failure);
};

/** The status that a host answered git with, as git's client tells it; asking for a login on a terminal is what it does with 401. */
const statusIn = (stderr: string): number | undefined => {
  const told = /\bHTTP (\d{3})\b/u.exec(stderr)?.[1] ?? /returned error: (\d{3})\b/u.exec(stderr)?.[1];
  if (told !== undefined) return Number(told);
  return /could not read (?:Username|Password)|Authentication failed/u.test(stderr) ? 401 : undefined;
};

const noHeaders = { get: () => null, has: () => false };

/** What git over http could not do, though the repository could be looked at: by the status and the words of the host. */
export const httpFailureOf = (failure: GitFailure, asked: Asked): ExpectedError => {
  const { stderr } = failure;
  const status = statusIn(stderr);
  if (status !== undefined) {
    const answer = { status, statusText: '', headers: noHeaders, body: null };
    const words = stderr.split('\n').filter((line) => line.startsWith('remote:'));
    return httpFailure(asked, firstHop(asked), answer, words.join('\n'));
  }
  const speaker = stderr.includes('remote error:') ? 'its host' : 'git';
  return meaningOf(stderr) === undefined ? failure : remoteFailure(asked.url, stderr, failure, speaker);
};

/** Failures for which kpack says that credentials are missing or wrong. */
const aboutLogin: ReadonlySet<GitErrorCode> = new Set([
  'credential-invalid',
  'forbidden',
  'key-invalid',
  'key-refused',
  'unauthorized',
]);

/** A step is not run again by itself, as a look for the source is. */
const inStep = (said: string): string =>
  said.replace(/; it is asked again(?: later)?$/u, '; have it built again once its host is well');

/** kpack's two sentences, and what the user can do. Everything that is not about the source stays as it is. */
export const fetchFailure = (error: unknown): unknown => {
  if (!(error instanceof ExpectedError)) return error;
  const { pace } = error;
  const said = inStep(error.message);
  if (error instanceof GitError && aboutLogin.has(error.code))
    return new ExpectedError(`invalid credentials for repository: authentication required: ${said}`, {
      cause: error,
      pace: 'slow',
    });
  const message = `unable to fetch references for repository: ${said}`;
  return error instanceof StepFailure
    ? new StepFailure(error.exitCode, message, { cause: error })
    : new ExpectedError(message, { cause: error, pace });
};

/** A failure that somebody has to act on, told with what was being done; others as they are. */
export const retold = (error: unknown, doing: string): unknown => {
  if (error instanceof PermanentError)
    return new PermanentError(error.reason, `${doing}: ${error.message}`, { cause: error });
  return error instanceof ExpectedError
    ? new ExpectedError(`${doing}: ${inStep(error.message)}`, { cause: error })
    : error;
};
