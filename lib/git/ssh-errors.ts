/** What a failed ssh conversation means: the host's key, ours, the network, or git on the other side refusing. */
import { printable } from '../text/printable.ts';
import type { SshCredential } from './credentials.ts';
import { GitError, type GitErrorCode } from './errors.ts';
import { meaningOf } from './host-words.ts';
import { networkFailure } from './http-errors.ts';
import type { HostKeyVerdict } from './known-hosts.ts';
import type { GitUrl } from './url.ts';

/** The host closed the connection, without saying why. */
export class SshClosedError extends Error {
  override readonly name = 'SshClosedError';
}

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

/** What is to be done about a host's refusal: the end of a sentence that quotes it. */
const remedies: Readonly<Partial<Record<GitErrorCode, string>>> = {
  forbidden: '; grant read access to the repository',
  'host-unreachable': '; it is asked again',
  'key-refused': '; register the public key of the Secret there',
  throttled: '; it is asked again later',
  unauthorized: '; correct the credentials in the Secret',
};

/** The GitError for words of the host itself, an `ERR` line of the protocol or what its git wrote to stderr, or of our git about it. */
export const remoteFailure = (
  url: GitUrl,
  complaint: string,
  cause?: unknown,
  speaker: 'git' | 'its host' = 'its host',
): GitError => {
  const row = meaningOf(complaint);
  const code = row === undefined || row.means === 'commit-gone' ? 'protocol' : row.means;
  const because = row?.because === undefined ? '' : ` (${row.because})`;
  return new GitError(
    code,
    `${url.display} cannot be read, ${speaker} says: ${complaintLine(complaint)}${because}${remedies[code] ?? ''}`,
    // It is alive, whatever troubles it.
    { host: url.authority, heard: 'something', cause },
  );
};

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
        `${url.authority} shows a host key that is marked @revoked in ${where}; make sure who answers, then give it the line of its new key`,
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

/** The connection was there and ended. */
const isClosed = (error: unknown): boolean =>
  error instanceof SshClosedError || (error instanceof Error && 'code' in error && error.code === 'ECONNRESET');

const levelOf = (error: unknown): string =>
  error instanceof Error && 'level' in error && typeof error.level === 'string' ? error.level : '';

/** How far a conversation came before it failed. */
export interface Progress {
  /** What was found about the host's key; undefined before it was shown. */
  readonly verdict: HostKeyVerdict | undefined;
  /** The first bytes that the host sent, as text. */
  readonly greeting: string;
}

/** Does a greeting hold the line by which an ssh server names itself (RFC 4253 §4.2)? */
const isSsh = (greeting: string): boolean => /^SSH-/mu.test(greeting);

/** Before the host named itself as an ssh server: it answered something else, or nothing. */
const failureBeforeGreeting = ({ url }: Asked, greeting: string, cause: unknown): GitError => {
  const host = url.authority;
  const means = meaningOf(greeting)?.means;
  if (greeting.trim() === '')
    return new GitError(
      'host-unreachable',
      `${host} closes the connection before its ssh greeting, as a server does that has too many of them; it is asked again`,
      { host, cause },
    );
  if (means === 'throttled' || means === 'host-unreachable')
    return new GitError(means, `${host} takes no ssh connections for now; it is asked again`, {
      host,
      heard: 'something',
      cause,
    });
  return new GitError('protocol', `what answers at ${host} is no ssh server; check host and port of the URL`, {
    host,
    heard: 'something',
    cause,
  });
};

/** Both sides name what they can do; the library says in which part there is nothing in common. */
const noAgreement = ({ url, credential }: Asked, { message }: Error, cause: unknown): GitError | undefined => {
  const part = /no matching (?<part>[\w\->]+(?: [\w\->]+){0,3})$/u.exec(message)?.groups?.['part'];
  if (part === undefined) return undefined;
  const remedy =
    part === 'host key format' && credential.knownHosts !== undefined
      ? `known_hosts of Secret ${credential.secretName} names keys of other kinds; add the line of a key that it has`
      : 'its ssh server is too old; update it';
  return new GitError('protocol', `${url.authority} offers no ${part} that is taken here: ${remedy}`, {
    host: url.authority,
    cause,
  });
};

/** The GitError for a connection or login that failed, by how far it came. */
export const sshFailure = (asked: Asked, error: unknown, { verdict, greeting }: Progress): Error => {
  const { url, credential } = asked;
  const host = url.authority;
  const level = levelOf(error);
  if (level === 'client-authentication') {
    const user = url.user === undefined ? `user ${credential.username}` : 'the user that the URL names';
    return new GitError(
      'key-refused',
      `${host} refused the key of Secret ${credential.secretName} for ${user}; register its public key there`,
      { host, cause: error },
    );
  }
  const aboutKey = level === 'handshake' && verdict !== undefined ? hostKeyFailure(asked, verdict, error) : undefined;
  if (aboutKey !== undefined) return aboutKey;
  const failure = error instanceof Error ? noAgreement(asked, error, error) : undefined;
  if (failure !== undefined) return failure;
  if (isClosed(error) || level === 'handshake' || level === 'protocol') {
    if (!isSsh(greeting)) return failureBeforeGreeting(asked, greeting, error);
    return new GitError(
      'host-unreachable',
      `${host} broke off the ssh connection before anybody was logged in; it is asked again`,
      {
        host,
        heard: 'something',
        cause: error,
      },
    );
  }
  return networkFailure({ url }, error, { isAlive: greeting !== '' });
};
