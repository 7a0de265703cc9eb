/** What a failed ssh conversation means: the host's key, ours, the network, or git on the other side refusing. */
import { printable } from '../text/printable.ts';
import type { SshCredential } from './credentials.ts';
import { GitError, type GitErrorCode } from './errors.ts';
import { networkFailure } from './http-errors.ts';
import type { HostKeyVerdict } from './known-hosts.ts';
import type { GitUrl } from './url.ts';

interface Asked {
  readonly url: GitUrl;
  readonly credential: SshCredential;
}

/** One word for the host's shell, whatever it contains; git quotes the same way. */
export const shellQuoted = (text: string): string => `'${text.replaceAll(/['!]/gu, String.raw`'\$&'`)}'`;

/** What a host wrote, fit for a condition: one line, printable, at most 200 characters. */
const complaintLine = (text: string): string => {
  const lines = text
    .split(/\r?\n/u)
    .map((line) => line.replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '').trim())
    .filter((line) => line !== '' && !/^(?:remote:)?[\s=*-]*$/u.test(line));
  return printable(lines.join(' '), 200);
};

const codeOfComplaint = (text: string): GitErrorCode => {
  if (/not found|does not exist|doesn't exist|not appear to be a git|no such (?:file|repository)/iu.test(text))
    return 'not-found';
  if (/denied|forbidden|not authorized|unauthorized|access rights|permission/iu.test(text)) return 'forbidden';
  return 'protocol';
};

/** The GitError for words of the host itself: an `ERR` line of the protocol or what git wrote to stderr. */
export const remoteFailure = (url: GitUrl, complaint: string, cause?: unknown): GitError =>
  new GitError(
    codeOfComplaint(complaint),
    `${url.display} cannot be read, its host says: ${complaintLine(complaint)}`,
    {
      host: url.authority,
      cause,
    },
  );

const hostKeyFailure = ({ url, credential }: Asked, verdict: HostKeyVerdict, cause: unknown): GitError | undefined => {
  const options = { host: url.authority, cause };
  const where = `known_hosts of Secret ${credential.secretName}`;
  switch (verdict) {
    case 'mismatch':
      return new GitError(
        'host-key-mismatch',
        `${url.authority} shows another host key than ${where}; make sure who answers, then correct known_hosts`,
        options,
      );
    case 'revoked':
      return new GitError(
        'host-key-mismatch',
        `${url.authority} shows a host key that is marked @revoked in ${where}`,
        options,
      );
    case 'unknown':
      return new GitError(
        'host-key-unknown',
        `${url.authority} is not in ${where}; add its line from ssh-keyscan after checking it`,
        options,
      );
    default:
      return undefined;
  }
};

const levelOf = (error: unknown): string =>
  error instanceof Error && 'level' in error && typeof error.level === 'string' ? error.level : '';

/** The GitError for a connection or login that failed. `verdict`: what was found about the host's key, if it came that far. */
export const sshFailure = (asked: Asked, error: unknown, verdict: HostKeyVerdict | undefined): Error => {
  const { url, credential } = asked;
  const level = levelOf(error);
  if (level === 'client-authentication') {
    return new GitError(
      'key-refused',
      `${url.authority} refused the key of Secret ${credential.secretName} for user ${credential.username}; register its public key there`,
      { host: url.authority, cause: error },
    );
  }
  const aboutKey = level === 'handshake' && verdict !== undefined ? hostKeyFailure(asked, verdict, error) : undefined;
  if (aboutKey !== undefined) return aboutKey;
  // Raised by the library before any network is used when the key text is unusable.
  if (error instanceof Error && /privateKey/u.test(error.message)) {
    return new GitError('key-invalid', `ssh-privatekey of Secret ${credential.secretName} cannot be used`, {
      host: url.authority,
      cause: error,
    });
  }
  if (level === 'handshake' || level === 'protocol') {
    return new GitError('protocol', `${url.authority} and we agree on no ssh algorithm or it is no ssh server`, {
      host: url.authority,
      cause: error,
    });
  }
  return networkFailure({ url }, error, verdict !== undefined);
};
