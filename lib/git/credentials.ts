/** Which Secret opens which repository: kpack's matching by the annotation `kpack.io/git`, letter for letter (spec 02 §8.6). */
import type { Secret } from 'kubernetes-types/core/v1.d.ts';
import { gitAnnotation } from '../api/labels.ts';
import { SecretError, secretText, secretWord } from '../secrets/secret-text.ts';
import { GitError } from './errors.ts';
import type { GitUrl } from './url.ts';

/** Username and password for http(s). */
export interface BasicCredential {
  readonly kind: 'basic';
  readonly secretName: string;
  readonly username: string;
  readonly password: string;
}

/** Key for ssh. */
export interface SshCredential {
  readonly kind: 'ssh';
  readonly secretName: string;
  /** kpack logs in as `git` whatever the URL says. */
  readonly username: string;
  readonly privateKey: string;
  /** Content in the format of `~/.ssh/known_hosts`; absent when the Secret has none. */
  readonly knownHosts?: string;
}

export type GitCredential = BasicCredential | SshCredential;

const TYPE_FOR = {
  http: 'kubernetes.io/basic-auth',
  https: 'kubernetes.io/basic-auth',
  ssh: 'kubernetes.io/ssh-auth',
} as const;

/**
 * Does the annotation speak of this host, over this transport? It is `H`, `https://H`, `http://H` or `git@H`, where H is the URL's host with
 * its port as written: no case folding, no trailing slash, no path. All four forms count for both kinds of Secret, but what is annotated
 * for https is never sent in the clear.
 */
export const annotationCovers = (
  annotation: string,
  { scheme, authority }: Pick<GitUrl, 'authority' | 'scheme'>,
): boolean =>
  ['', ...(scheme === 'http' ? [] : ['https://']), 'http://', 'git@'].some(
    (form) => annotation === `${form}${authority}`,
  );

const nameOf = (secret: Secret): string => secret.metadata?.name ?? '';

const byName = (a: Secret, b: Secret): number => (nameOf(a) < nameOf(b) ? -1 : nameOf(a) > nameOf(b) ? 1 : 0);

/** The one Secret that counts for this URL: right type, matching annotation, first by name. No fallback to the next one. */
export const matchingSecret = (secrets: readonly Secret[], url: GitUrl): Secret | undefined =>
  secrets
    .filter((secret) => secret.type === TYPE_FOR[url.scheme])
    .filter((secret) => annotationCovers(secret.metadata?.annotations?.[gitAnnotation] ?? '', url))
    .toSorted(byName)[0];

const bytesOf = (secret: Secret, key: string): Uint8Array => Buffer.from(secret.data?.[key] ?? '', 'base64');

/** Bytes of a Secret by key; empty for keys that it has not. */
type BytesOf = (key: string) => Uint8Array;

/** User and password. @throws SecretError */
export const basicCredentialFrom = (secretName: string, bytes: BytesOf): BasicCredential => {
  const word = (key: string): string => secretWord({ secret: secretName, key }, bytes(key));
  return { kind: 'basic', secretName, username: word('username'), password: word('password') };
};

/** Key and known hosts. @throws SecretError */
export const sshCredentialFrom = (secretName: string, bytes: BytesOf): SshCredential => {
  const text = (key: string): string => secretText({ secret: secretName, key }, bytes(key));
  const knownHosts = text('known_hosts');
  // kpack logs in as `git` whatever the URL says.
  const login = { kind: 'ssh', secretName, username: 'git', privateKey: text('ssh-privatekey') } as const;
  if (login.privateKey.trim() === '')
    throw new SecretError(`Secret ${secretName} has no ssh-privatekey; put an unencrypted private key there`);
  return { ...login, ...(knownHosts.trim() === '' ? {} : { knownHosts }) };
};

/**
 * Reads the credential out of the Secret that `matchingSecret` chose. GitError `key-invalid` when an ssh-auth Secret holds no key,
 * `credential-invalid` when a user or password cannot be used.
 */
export const credentialFrom = (secret: Secret, url: GitUrl): GitCredential => {
  const read = url.scheme === 'ssh' ? sshCredentialFrom : basicCredentialFrom;
  try {
    return read(nameOf(secret), (key) => bytesOf(secret, key));
  } catch (cause) {
    if (!(cause instanceof SecretError)) throw cause;
    const code = url.scheme === 'ssh' ? 'key-invalid' : 'credential-invalid';
    throw new GitError(code, cause.message, { host: url.authority, cause });
  }
};
