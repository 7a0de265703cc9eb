/** Which Secret opens which repository: kpack's matching by the annotation `kpack.io/git`, letter for letter (spec 02 §8.6). */
import type { Secret } from 'kubernetes-types/core/v1.d.ts';
import { gitAnnotation } from '../api/labels.ts';
import { basicLoginIn, type SecretBytes } from '../secrets/basic-secret.ts';
import { lenientText, SecretError } from '../secrets/secret-text.ts';
import { readSshKey } from '../secrets/ssh-key/read.ts';
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
  /** Login for URLs that name none: kpack logs in as `git`. */
  readonly username: string;
  /** As the Secret holds it, in any form; see `usableKey`. */
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

/** A Secret as far as choosing it is concerned, wherever it was read: from the API or from a mounted folder. */
export interface GitSecret {
  readonly name: string;
  /** `kubernetes.io/basic-auth` or `kubernetes.io/ssh-auth`; others open nothing. */
  readonly type: string;
  /** Value of the annotation `kpack.io/git`; empty when there is none. */
  readonly annotation: string;
  readonly bytes: SecretBytes;
}

const byName = (a: GitSecret, b: GitSecret): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

/** The one Secret that counts for this URL: right type, matching annotation, first by name. No fallback to the next one. */
export const secretFor = (secrets: readonly GitSecret[], url: GitUrl): GitSecret | undefined =>
  secrets
    .filter(({ type, annotation }) => type === TYPE_FOR[url.scheme] && annotationCovers(annotation, url))
    .toSorted(byName)[0];

/** A Secret of the API. */
const gitSecretOf = ({ metadata, type = '', data = {} }: Secret): GitSecret => ({
  name: metadata?.name ?? '',
  type,
  annotation: metadata?.annotations?.[gitAnnotation] ?? '',
  bytes: (key) => Buffer.from(data[key] ?? '', 'base64'),
});

/** The same choice among Secrets of the API. */
export const matchingSecret = (secrets: readonly Secret[], url: GitUrl): Secret | undefined => {
  const match = secretFor(secrets.map(gitSecretOf), url);
  return match === undefined ? undefined : secrets.find(({ metadata }) => metadata?.name === match.name);
};

/** @throws SecretError */
const basicCredentialFrom = ({ name: secretName, bytes }: GitSecret): BasicCredential => ({
  kind: 'basic',
  secretName,
  ...basicLoginIn(secretName, bytes),
});

/** Key and known hosts. What the key is worth is seen when it is used (lib/secrets/ssh-key). @throws SecretError */
const sshCredentialFrom = ({ name: secretName, bytes }: GitSecret): SshCredential => {
  const knownHosts = lenientText(bytes('known_hosts')).replaceAll('\r', '');
  // kpack logs in as `git`; a user in the URL comes before.
  const login = { kind: 'ssh', secretName, username: 'git', privateKey: lenientText(bytes('ssh-privatekey')) } as const;
  if (login.privateKey.trim() === '')
    throw new SecretError(`Secret ${secretName} has no ssh-privatekey: put a private key there`);
  return { ...login, ...(knownHosts.trim() === '' ? {} : { knownHosts }) };
};

/** What a Secret holds for a URL that it was chosen for. GitError as of `credentialFrom`. */
export const credentialIn = (secret: GitSecret, url: GitUrl): GitCredential => {
  try {
    return url.scheme === 'ssh' ? sshCredentialFrom(secret) : basicCredentialFrom(secret);
  } catch (cause) {
    if (!(cause instanceof SecretError)) throw cause;
    const code = url.scheme === 'ssh' ? 'key-invalid' : 'credential-invalid';
    throw new GitError(code, cause.message, { host: url.authority, heard: 'undialled', cause });
  }
};

/**
 * Reads the credential out of the Secret that `matchingSecret` chose. GitError `key-invalid` when an ssh-auth Secret holds no key,
 * `credential-invalid` when a user or password cannot be used.
 */
export const credentialFrom = (secret: Secret, url: GitUrl): GitCredential => credentialIn(gitSecretOf(secret), url);

/** The key as OpenSSH writes it. GitError `key-invalid`, whose message says what is wrong with it, when it is none that can be used. */
export const usableKey = (
  { secretName, privateKey }: SshCredential,
  { authority }: Pick<GitUrl, 'authority'>,
): string => {
  const read = readSshKey(privateKey);
  if ('openssh' in read) return read.openssh;
  throw new GitError('key-invalid', `ssh-privatekey of Secret ${secretName} ${read.fault}`, { host: authority });
};
