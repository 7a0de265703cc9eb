/** Which Secret opens which repository: kpack's matching by the annotation `kpack.io/git`, letter for letter (spec 02 §8.6). */
import type { Secret } from 'kubernetes-types/core/v1.d.ts';
import { gitAnnotation } from '../api/labels.ts';
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
  /** Content in the format of `~/.ssh/known_hosts`; absent or empty when the Secret has none. */
  readonly knownHosts?: string;
}

export type GitCredential = BasicCredential | SshCredential;

const TYPE_FOR = {
  http: 'kubernetes.io/basic-auth',
  https: 'kubernetes.io/basic-auth',
  ssh: 'kubernetes.io/ssh-auth',
} as const;

/**
 * Does the annotation speak of this host? It is `H`, `https://H`, `http://H` or `git@H`, where H is the URL's host with its port as
 * written: no case folding, no trailing slash, no path. All four forms count for both kinds of Secret.
 */
const annotationMatches = (annotation: string, url: GitUrl): boolean =>
  ['', 'https://', 'http://', 'git@'].some((form) => annotation === `${form}${url.authority}`);

const nameOf = (secret: Secret): string => secret.metadata?.name ?? '';

const byName = (a: Secret, b: Secret): number => (nameOf(a) < nameOf(b) ? -1 : nameOf(a) > nameOf(b) ? 1 : 0);

/** The one Secret that counts for this URL: right type, matching annotation, first by name. No fallback to the next one. */
export const matchingSecret = (secrets: readonly Secret[], url: GitUrl): Secret | undefined =>
  secrets
    .filter((secret) => secret.type === TYPE_FOR[url.scheme])
    .filter((secret) => annotationMatches(secret.metadata?.annotations?.[gitAnnotation] ?? '', url))
    .toSorted(byName)[0];

const dataOf = (secret: Secret, key: string): string =>
  Buffer.from(secret.data?.[key] ?? '', 'base64').toString('utf8');

/** Reads the credential out of the Secret that `matchingSecret` chose. GitError `key-invalid` when an ssh-auth Secret holds no key. */
export const credentialFrom = (secret: Secret, url: GitUrl): GitCredential => {
  const secretName = nameOf(secret);
  if (url.scheme !== 'ssh') {
    return { kind: 'basic', secretName, username: dataOf(secret, 'username'), password: dataOf(secret, 'password') };
  }
  const privateKey = dataOf(secret, 'ssh-privatekey');
  if (privateKey.trim() === '') {
    throw new GitError(
      'key-invalid',
      `Secret ${secretName} has no ssh-privatekey; put an unencrypted private key there`,
      {
        host: url.authority,
      },
    );
  }
  const knownHosts = dataOf(secret, 'known_hosts');
  return { kind: 'ssh', secretName, username: 'git', privateKey, ...(knownHosts === '' ? {} : { knownHosts }) };
};
