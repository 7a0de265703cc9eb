/** Failures that are the same over every transport, and whoever asks. */
import { GitError } from './errors.ts';
import { PacketError, TruncatedError } from './pkt-line.ts';
import { RemoteComplaint } from './refs.ts';
import { remoteFailure } from './ssh-errors.ts';
import type { GitUrl } from './url.ts';

/** The GitError for an ssh URL that no Secret has a key for: nobody is dialled without one. */
export const needsKey = (url: GitUrl): GitError =>
  new GitError(
    'unauthorized',
    `${url.display} needs a key; give the ServiceAccount a kubernetes.io/ssh-auth Secret annotated kpack.io/git: ${url.authority}`,
    { host: url.authority, heard: 'undialled' },
  );

/** What a conversation that failed means, whoever held it: a GitError for everything a host can do wrong, other errors as they are. */
export const named = (url: GitUrl, error: unknown): unknown => {
  if (error instanceof RemoteComplaint) return remoteFailure(url, error.message, error);
  if (error instanceof TruncatedError) {
    return new GitError(
      'host-unreachable',
      `the connection to ${url.authority} broke in the middle of an answer; it is asked again`,
      { host: url.authority, heard: 'something', cause: error },
    );
  }
  if (error instanceof PacketError) {
    return new GitError('protocol', `${url.display} did not answer as a git host: ${error.message}; check the URL`, {
      host: url.authority,
      cause: error,
    });
  }
  return error;
};
